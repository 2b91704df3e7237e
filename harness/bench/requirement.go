package bench

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// Requirement is one requirement and what was measured of it.
type Requirement struct {
	Name string `json:"name"`
	// Required is a least value, or with AtMost a greatest.
	Required float64 `json:"required"`
	AtMost   bool    `json:"atMost,omitempty"`
	Measured float64 `json:"measured"`
	// OfRequired is Measured divided by Required; 0 where nothing may be there.
	OfRequired float64       `json:"ofRequired"`
	Verdict    trial.Verdict `json:"verdict"`
	// Note says why there is no verdict, or how sure it is.
	Note string `json:"note,omitempty"`
}

const (
	ofNone     = 0.95
	ofLimit    = 0.85
	ofWithout  = 0.95
	maxThreads = 64
	maxEach    = 40 // KiB
	// claimSleeps is the number of sleeps for which memory and threads are
	// limited.
	claimSleeps = 6000
)

// judge makes the requirements and the verdict. One that fails is a fail;
// short of that, whatever is missing makes the report inconclusive.
func (r *Report) judge() {
	r.Requirements = r.ownRequirements()
	if r.Candidate != "" { // no price is asked of somebody's own daemon
		r.Requirements = []Requirement{
			r.answersRequirement(Candidate), r.lostRequirement(Candidate),
			r.leakRequirement(Candidate),
		}
	}
	r.Verdict = trial.Pass
	for _, t := range r.Requirements {
		if t.Verdict == trial.Inconclusive {
			r.Verdict = trial.Inconclusive
		}
	}
	if r.Problem != "" {
		r.Verdict = trial.Inconclusive
	}
	if slices.ContainsFunc(r.Requirements,
		func(t Requirement) bool { return t.Verdict == trial.Fail }) {
		r.Verdict = trial.Fail
	}
}

// ownRequirements are those of the reference daemon.
func (r *Report) ownRequirements() []Requirement {
	return []Requirement{
		r.rateRequirement(registry, none, ofNone),
		r.rateRequirement(registry, limit, ofLimit),
		r.rateRequirement(behindLauncher, registry, ofWithout),
		r.answersRequirement(right...),
		r.sleepRequirement("threads", maxThreads,
			func(s Sleep) float64 { return float64(s.During.Threads) }),
		r.sleepRequirement("KiB of RSS each", maxEach,
			func(s Sleep) float64 { return kib(s.each()) }),
		r.lostRequirement(registry),
		r.leakRequirement(registry),
	}
}

// rateRequirement has a verdict where the whole interval of the ratio is on one side
// of what is required.
func (r *Report) rateRequirement(of, to string, required float64) Requirement {
	t := Requirement{
		Name: fmt.Sprintf("executions per second with %d in flight, %s to %s", claimLevel, of,
			to),
		Required: required,
	}
	ratio, ok := r.ratio(of, to, claimLevel)
	if !ok || ratio.N == 0 {
		t.Note = "not measured"
		return t
	}
	t.measure(ratio.Median)
	switch {
	case ratio.High == 0:
		t.Note = fmt.Sprintf("%d pairs of turns are too few to say", ratio.N)
		return t
	case ratio.Low >= required:
		t.Verdict = trial.Pass
	case ratio.High < required:
		t.Verdict = trial.Fail
	}
	t.Note = fmt.Sprintf("95 %% interval %.3f to %.3f, %d pairs of turns", ratio.Low, ratio.High,
		ratio.N)
	return t
}

func (t *Requirement) measure(value float64) {
	t.Measured = value
	if t.Required != 0 {
		t.OfRequired = value / t.Required
	}
}

// most gives the verdict of a value that does not vary.
func (t *Requirement) most() {
	t.AtMost, t.Verdict = true, trial.Fail
	if t.Measured <= t.Required {
		t.Verdict = trial.Pass
	}
}

// right are the contestants of which every answer has to be right. The others are
// there for comparison: what they lose is shown.
var right = []string{none, registry, behindLauncher, noCommand, limit, Candidate}

// answersRequirement counts bad answers. Where a contestant lost codes, its rate is that of
// another, easier job.
func (r *Report) answersRequirement(of ...string) Requirement {
	t := Requirement{Name: "wrong answers among the executions that were timed", AtMost: true}
	seen := false
	for _, rate := range r.Rates {
		if !slices.Contains(of, rate.Contestant) {
			continue
		}
		seen = true
		t.Measured += float64(rate.Outcomes.Bad())
		if t.Note == "" {
			t.Note = rate.Why
		}
	}
	if len(r.Died) > 0 {
		t.Verdict, t.Note = trial.Fail, strings.Join(r.Died, "; ")
		return t
	}
	if !seen {
		t.Note = "not measured"
		return t
	}
	t.most()
	return t
}

func (r *Report) sleepRequirement(what string, required float64,
	of func(Sleep) float64) Requirement {
	t := Requirement{
		Name:     fmt.Sprintf("%s with %d sleeps in flight, %s", what, claimSleeps, registry),
		Required: required,
		AtMost:   true,
	}
	for _, s := range r.Sleeps {
		if s.Strategy != registry || s.InFlight != claimSleeps {
			continue
		}
		if s.Died != "" {
			t.Verdict, t.Note = trial.Fail, s.Died
			return t
		}
		t.measure(of(s))
		t.most()
		return t
	}
	t.Note = "not measured"
	return t
}

func (r *Report) lostRequirement(of string) Requirement {
	t := Requirement{Name: "sleeps that were not answered rightly, " + of, AtMost: true}
	all := 0
	for _, s := range r.Sleeps {
		if s.Strategy != of {
			continue
		}
		if s.Died != "" || s.Stuck != "" {
			t.Verdict, t.Note = trial.Fail, cmp.Or(s.Died, s.Stuck)
			return t
		}
		all += s.InFlight
		t.Measured += float64(s.lost())
		if t.Note == "" {
			t.Note = s.Why
		}
	}
	if all == 0 {
		t.Note = "not measured"
		return t
	}
	if t.Note == "" {
		t.Note = fmt.Sprintf("of %d", all)
	}
	t.most()
	return t
}

// leakRequirement counts what there is more of, and answers that were not right.
func (r *Report) leakRequirement(of string) Requirement {
	t := Requirement{
		Name:   "figures that did not come back after many commands, " + of,
		AtMost: true,
	}
	at := slices.IndexFunc(r.Leaks, func(l Leak) bool { return l.Strategy == of })
	if at < 0 {
		t.Note = "not measured"
		return t
	}
	l := r.Leaks[at]
	if l.Died != "" {
		t.Verdict, t.Note = trial.Fail, l.Died
		return t
	}
	more := l.more(l.After)
	t.Measured = float64(len(more))
	t.Note = fmt.Sprintf("%d commands, %v", l.Commands, l.Outcomes)
	if bad := l.Outcomes.Bad(); bad > 0 || l.Outcomes.Total() != l.Commands {
		t.Measured++
		more = append(more, l.Why)
	}
	if len(more) > 0 {
		t.Note += ": " + strings.Join(more, "; ")
	}
	t.most()
	return t
}
