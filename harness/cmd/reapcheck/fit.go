package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
	"github.com/reapcheck/reapcheck/scenarios"
)

// fit measures the machine and scales the run to it.
func (o options) fit(ctx context.Context, s *session.Session, info *results.Info) (err error) {
	if s.Pace = o.pace; s.Pace == (session.Pace{}) {
		if s.Pace, err = s.Measure(ctx); err != nil {
			return err
		}
	}
	o.deal(s, info) // by the factor that was given, and never by what was measured
	takes := scenarios.Fit(s, info.Scenarios)
	info.Factor, info.CommandMicros = s.Scale.Factor, s.Pace.Command.Microseconds()
	info.Argv = withFactor(info.Argv, s.Scale.Factor)
	s.Progress.Forecast(takes)
	s.Progress.Say("%s", forecast(s, takes))
	return nil
}

// forecast says how long the run will take, and why where that is not what its tier
// promises.
func forecast(s *session.Session, takes time.Duration) string {
	text := fmt.Sprintf("a command takes %v here and a sandbox starts in %v: expect about %v",
		s.Pace.Command.Round(10*time.Microsecond), s.Pace.Start.Round(time.Millisecond), roughly(
			takes))
	switch budget := s.Scale.Budget(); {
	case roughly(takes) > roughly(budget):
		text += fmt.Sprintf(", not the %v of tier %s: this machine is too slow for less",
			roughly(budget), s.Scale.Tier)
	case s.Scale.AtFloor():
		text += ", with the fewest trials that prove something"
	case s.Scale.Factor != 1:
		text += fmt.Sprintf(", for %.2g of the trials of a fast machine", s.Scale.Factor)
	}
	return text
}

// roughly is how a person would say how long something takes.
func roughly(d time.Duration) time.Duration {
	switch {
	case d < 10*time.Second:
		return d.Round(time.Second)
	case d < 2*time.Minute:
		return d.Round(5 * time.Second)
	}
	return d.Round(30 * time.Second)
}

// withFactor adds the factor to the line that repeats a run, where that would have it:
// with seed and factor the same trials are planned on any machine.
func withFactor(argv []string, factor float64) []string {
	const flag = "--factor="
	at := len(argv)
	for i, arg := range argv {
		switch {
		case strings.HasPrefix(arg, flag):
			return argv
		case strings.HasPrefix(arg, "--") && (arg > flag || arg == "--"):
			at = min(at, i)
		}
	}
	return slices.Insert(slices.Clone(argv), at, flag+strconv.FormatFloat(factor, 'g', -1, 64))
}

// leaveOutUnsaid leaves the scenarios out that need what the candidate's dialect or driver
// cannot say, or what cannot be seen, and names them.
func (o *options) leaveOutUnsaid(s *session.Session, info *results.Info) error {
	sayable, why := scenarios.Sayable(s, o.scenarios)
	return o.goOnWith(sayable, why, s, info)
}

// leaveOutUnfed leaves out what gives commands an input, where the target ignores that and
// no --dialect was named.
func (o *options) leaveOutUnfed(s *session.Session, info *results.Info) error {
	if !o.detects {
		return nil
	}
	fed, why := scenarios.Unfed(s, o.scenarios)
	return o.goOnWith(fed, why, s, info)
}

// goOnWith leaves the others out, and needs one that is left.
func (o *options) goOnWith(rest []trial.Scenario, why map[string]string, s *session.Session,
	info *results.Info) error {
	o.leaveOut(why, rest, s, info)
	if len(rest) == 0 {
		return errors.New("no scenario is left that can be tried with this target")
	}
	return nil
}

// leaveOutMoot leaves the scenarios out that can come to nothing with this candidate, which
// some orders show: it cannot be traced, or nobody contests what is to be decided.
func (o *options) leaveOutMoot(ctx context.Context, s *session.Session,
	info *results.Info) error {
	for _, fit := range []func(context.Context, *session.Session, []trial.Scenario) (
		[]trial.Scenario, map[string]string, error){scenarios.Traceable, scenarios.Contested,
		scenarios.Told} {
		others, why, err := fit(ctx, s, o.scenarios)
		if err != nil {
			return err
		}
		o.leaveOut(why, others, s, info)
	}
	return nil
}

// leaveOut goes on with the other scenarios, and says why these are left out.
func (o *options) leaveOut(why map[string]string, others []trial.Scenario, s *session.Session,
	info *results.Info) {
	already := len(info.LeftOut)
	for _, what := range slices.Sorted(maps.Keys(why)) { // a scenario, or an arm of one
		info.LeftOut = append(info.LeftOut, results.LeftOut{ID: what, Why: why[what]})
	}
	o.scenarios, info.Scenarios = others, others
	for _, note := range (results.Info{LeftOut: info.LeftOut[already:]}).LeftOutNotes() {
		s.Progress.Say("%s", note)
	}
}
