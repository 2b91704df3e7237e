package session

import (
	"cmp"
	"context"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// running says whether the target is as it has to be, and records that. Where it
// ends within wait that is the finding, and it answers no questions.
func (a *runningArm) running(ctx context.Context, wait time.Duration) bool {
	state := a.state(ctx, wait)
	a.recorder.Write(trial.Line{Check: &state})
	return state.OK
}

// endLimit is how long a target that is to end may take after the last answer.
var endLimit = 5 * time.Second

// state says whether PID 1 still runs after wait, or how it ended where it had to.
func (a *runningArm) state(ctx context.Context, wait time.Duration) trial.Check {
	check := trial.Check{Name: "target", Want: "running", Got: "running"}
	if a.mustEnd() {
		check.Want, wait = a.Ends, a.session.Patience(cmp.Or(a.EndWithin, endLimit))
	}
	if a.endedWithin(ctx, wait) {
		check.Got = a.sandbox.Ended()
	}
	// One that was cut short may have had its reason to end, or not.
	check.OK = check.Got == check.Want ||
		a.last.Stopped != "" && a.Ends != "" && check.Got == a.Ends
	return check
}

// endedWithin says whether PID 1 has ended, or does so within the wait; 0 is for now. By
// then a machine may stand still, on which nobody forks or exits for as long as nine
// seconds have been seen: who runs or is in a call that no signal ends is waited for again.
func (a *runningArm) endedWithin(ctx context.Context, wait time.Duration) bool {
	ctx = context.WithoutCancel(ctx) // its clock counts, and an interrupt changes no finding
	for range mostWaits {
		if sandbox.EndsWithin(ctx, a.sandbox, wait) {
			return true
		}
		if wait == 0 || !probe.Stirs(a.sandbox.PID()) {
			return false
		}
	}
	return false
}

// mostWaits bounds that, for a target that spins instead of ending.
const mostWaits = 4

// mustEnd says whether what was to end the target has happened.
func (a *runningArm) mustEnd() bool {
	return a.Ends != "" && a.last.Stopped == "" && (a.injected == nil || a.last.FaultHits > 0)
}
