package session

import (
	"context"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/parallel"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// trials runs the arm's share of trials in one of several turns. Nothing is
// run where the arm did not come up.
func (a *runningArm) trials(ctx context.Context, turn, of int) error {
	switch {
	case a.last.Error != "":
		return nil
	case a.Orders != nil && turn == 0:
		return a.explore(ctx)
	case !a.up:
		return nil
	}
	defer func() { a.session.noteLog(a.logs.Extend(a.sandbox.Log)) }()
	a.speaker.Idle() // the target may be about to close what idled in others' turns
	first, last := a.Trials*turn/of, a.Trials*(turn+1)/of
	step := last - first
	if a.Bursts {
		step = a.InFlight
	}
	for ; first < last; first += step {
		from, to := a.part.first+first, a.part.first+min(first+step, last)
		if err := a.several(ctx, from, to); err != nil {
			return err
		}
	}
	if last < a.Trials {
		return nil
	}
	if err := a.spareTrials(ctx); err != nil {
		return err
	}
	return a.again(ctx)
}

// several are the trials from first to before last, as many in flight as may be.
func (a *runningArm) several(ctx context.Context, first, last int) error {
	_, err := parallel.Do(ctx, first, last, a.InFlight, func(i int) { a.try(ctx, i) })
	return genuine(err, a.recorder.Failed(), a.problem(ctx, 0))
}

// detailLimit bounds what a recording keeps of a target's own words.
const detailLimit = 4 << 10

// try is one trial. One that an interrupt cuts short is not recorded: the
// target was not given its time.
func (a *runningArm) try(ctx context.Context, index int) {
	if a.done(index) {
		return
	}
	if a.spoiled.Load() || a.givenUp() {
		return
	}
	cmd := a.command(index)
	perTrial, _ := a.injected.(fault.PerTrial)
	if perTrial != nil {
		perTrial.Before(fault.OfTrial(ctx, index)) // in its own time, not in the target's
	}
	if a.settleShown(ctx); a.done(index) {
		if perTrial != nil {
			perTrial.After("")
		}
		return
	}
	limit := a.deadline()
	bounded, cancel := await.Limit(ctx, limit)
	defer cancel()
	sent, passed := time.Now(), await.Stopwatch(ctx)
	answer := a.speaker.Execute(bounded, cmd.Request)
	took := time.Since(sent)
	if ctx.Err() != nil || a.problem(ctx, a.session.Patience(endLimit)) != nil {
		return
	}
	if perTrial != nil {
		perTrial.After(answer.Output)
	}
	outcome := a.record(index, cmd, answer, sent, took)
	a.patience.note(outcome, sent, passed(), a.injected != nil, a.session.Patience(stuckAfter))
}

func (a *runningArm) record(index int, cmd load.Command, answer trial.Answer, sent time.Time,
	took time.Duration) trial.Outcome {
	outcome, detail := a.judge(cmd, answer, took)
	r := trial.Record{
		Index:    index,
		Kind:     cmd.Kind,
		Want:     cmd.Want.Code,
		Outcome:  outcome,
		Detail:   detail[:min(len(detail), detailLimit)],
		AtMicros: sent.Sub(a.began).Microseconds(),
		Micros:   took.Microseconds(),
	}
	if answer.Known {
		r.Got = &answer.Code
	}
	if r.Bad() {
		r.Command, r.Beside, r.Sent = cmd.Script, cmd.Beside(), sent.UTC()
		r.Wanted = cmd.Want.InPlaceOfCode()
	}
	if outcome == trial.Output {
		r.Part = cmd.Want.Part(answer.Output)
	}
	a.quickest.note(cmd.Kind, outcome, took)
	a.keep(r)
	if a.UntilShown && a.Claim.Shown(outcome) {
		a.showing.note(index)
	}
	if r.Bad() {
		path := results.TrialLog(a.session.Folder, a.scenario, a.Name, index)
		a.session.noteLog(a.logs.Keep(path, a.sandbox.Log))
	}
	return outcome
}

// keep records a trial, and ends the experiment where that makes its verdict certain.
func (a *runningArm) keep(r trial.Record) {
	a.recorder.Write(trial.Line{Record: &r})
	a.session.Progress.Trial(a.Role, r.Outcome)
	if !r.Bad() {
		return
	}
	a.bad.Store(true)
	if a.session.stopsAt(r.Outcome) && a.Role == trial.Candidate && a.Claim == trial.Clean {
		a.enough()
	}
}

func (s *Session) stopsAt(o trial.Outcome) bool {
	return s.StopAtFirstBad && (s.StopAs == "" || s.StopAs == trial.Symptom(o))
}

func (s *Session) noteLog(err error) {
	if err != nil {
		s.Progress.Say("could not keep a log: %v", err)
	}
}
