package session

import (
	"context"
	"os"
	"slices"

	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// spare is how many trials may follow those of the plan: as many again, where the fault
// has missed or something is to be seen twice, and leastSpare where the plan has few. An
// order that needs a number of the kernel's, or a moment, is missed now and then, and the
// next try may hit. An arm that is tried until it shows its claim has its reserve in Trials.
func (a Arm) spare() int {
	if a.Fault == nil && !a.seesTwice() || a.UntilShown {
		return 0
	}
	return max(a.Trials, leastSpare)
}

// leastSpare makes up for an arm of a few trials on a busy machine: four in a row have been
// seen to be missed.
const leastSpare = 12

// seesTwice says whether something counts only if it comes again. What a baseline shows
// counts at once.
func (a Arm) seesTwice() bool { return a.SeenTwice != nil && a.Claim == trial.Clean }

// firstSpare is the index of the first trial after those of all parts.
func (a Arm) firstSpare() int { return max(a.part.whole, a.Trials) + a.part.first }

// again runs all trials once more where what the first time has shown counts only if it
// comes again. The last look then says what has come on top of that.
func (a *runningArm) again(ctx context.Context) error {
	if !a.seesTwice() || a.endedWithin(ctx, 0) {
		return nil
	}
	checks, err := a.look(ctx)
	if err != nil {
		return nil // the last look meets it too
	}
	failed := slices.DeleteFunc(slices.Clone(checks), func(c trial.Check) bool { return c.OK })
	if len(failed) == 0 || !a.SeenTwice(failed) {
		return nil
	}
	if a.look, err = a.Watch(ctx, a.sandbox, a.settles()); err != nil {
		return err
	}
	begin := a.firstSpare()
	return a.several(ctx, begin, begin+a.Trials)
}

// afresh has the arms once more of which the target's end counts only if it comes again.
func (s *Session) afresh(ctx context.Context, e Experiment, enough func()) error {
	if ctx.Err() != nil {
		return nil // what there is of a run that was cut stays as it is
	}
	var ended []Arm
	for _, arm := range e.Arms {
		if !arm.EndTwice || arm.Claim != trial.Clean {
			continue
		}
		path := results.Recording(s.Folder, e.Scenario, arm.Name)
		summary, err := readRecording(path, arm)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(summary.Checks, func(c trial.Check) bool {
			return c.Name == evidence.Target && !c.OK
		}) {
			s.Progress.Say("%s, %s: the target ended, and is tried once more", e.Scenario, arm.Name)
			if err := os.Rename(path, path+".first"); err != nil {
				return err
			}
			ended = append(ended, arm)
		}
	}
	if len(ended) == 0 {
		return nil
	}
	return s.round(ctx, e, ended, enough)
}

// spareTrials goes on while the fault has hit fewer times than it must. What the target
// answered has no say in it, so nothing is tried until it looks right. A fault that
// cannot tell between two trials has no spare ones.
func (a *runningArm) spareTrials(ctx context.Context) error {
	step := max(1, a.InFlight)
	begin := a.firstSpare()
	last := begin + a.spare()
	for first := begin; first < last && a.missesFault(ctx); first += step {
		if err := a.several(ctx, first, min(first+step, last)); err != nil {
			return err
		}
	}
	return nil
}

// missesFault says whether the fault has hit too rarely in a target that still runs.
func (a *runningArm) missesFault(ctx context.Context) bool {
	counting, ok := a.injected.(fault.Counting)
	if !ok || a.endedWithin(ctx, 0) {
		return false
	}
	hits, err := counting.SoFar(ctx)
	return err == nil && hits < max(1, a.MinHits)
}
