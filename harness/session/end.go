package session

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// teardownLimit bounds each of the last steps of an arm: to undo its fault, to look
// at its target, and to stop that. An interrupt cuts none of them, or a sandbox
// would be left behind.
const teardownLimit = 30 * time.Second

// end closes the recording and takes the sandbox down, whatever ctx says.
func (a *runningArm) end(ctx context.Context) error {
	if cause := context.Cause(ctx); errors.Is(cause, errEnough) {
		a.last.Stopped = errEnough.Error()
	} else if cause != nil {
		a.last.Stopped = "interrupted"
	}
	ctx = context.WithoutCancel(ctx)
	var err error
	if a.up {
		pathErr := a.session.checkPath(a.sandbox) // a hold that is undone begins to count anew
		err = a.lookBack(ctx)
		if lost := sandbox.Lost(a.sandbox); lost != nil {
			a.last.Void = lost.Error()
		}
		if why := a.problem(0); why != nil {
			a.last.Void = why.Error()
		}
		if pathErr != nil && err == nil {
			a.last.Error = pathErr.Error()
		}
		a.last.ShownBy = a.showing.shownBy()
	}
	if why := a.cutShort(); why != "" {
		a.last.Error, a.last.GivenUp = why, a.tooManyHung()
	}
	if err != nil && a.last.Error == "" {
		a.last.Error = err.Error()
	}
	a.recorder.End(a.last)
	if a.speaker != nil {
		err = errors.Join(err, a.speaker.Close())
	}
	err = errors.Join(err, a.recorder.Close())
	return errors.Join(err, a.stop(ctx))
}

// stop leaves a clean sandbox to the next arm that can use it. One whose candidate was
// wrong is not left: what the next arm finds must be its own.
func (a *runningArm) stop(ctx context.Context) error {
	if a.sandbox == nil {
		return nil
	}
	sound := a.last.Error == "" && a.last.Stopped == "" && a.last.Void == "" &&
		a.last.FaultNote == ""
	if sound && !(a.bad.Load() && a.Role == trial.Candidate) &&
		a.session.shelf.put(ctx, a.spec, a.before, a.session.Patience(time.Second)) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.session.Patience(teardownLimit))
	defer cancel()
	return a.sandbox.Stop(ctx)
}

// lookBack asks the fault for its hits and the sandbox for its state. Trials
// that were cut short leave a sandbox of which nothing was promised.
func (a *runningArm) lookBack(ctx context.Context) error {
	a.settleShown(ctx)
	err, stuck := a.withdraw(ctx)
	wait := time.Duration(0)
	if stuck != nil {
		wait = a.session.Patience(endLimit) // the target's end may be why, and is the finding then
	}
	if !a.running(wait) {
		return nil
	}
	if stuck != nil {
		a.last.FaultNote = stuck.Error()
		return errors.Join(err, stuck)
	}
	if a.last.Stopped != "" {
		return err
	}
	return errors.Join(err, a.lookAtLast(ctx))
}

// lookAtLast looks at a target that runs, and that nothing is done to any more.
func (a *runningArm) lookAtLast(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.session.Patience(teardownLimit))
	defer cancel()
	a.checkHealth(ctx)
	a.checkPrompt()
	if a.look == nil {
		return nil
	}
	checks, lookErr := a.look(ctx)
	for i := range checks {
		a.recorder.Write(trial.Line{Check: &checks[i]})
	}
	// The end of PID 1 shows in /proc before the sandbox says so, whose log is read to
	// its end first.
	if probe.Gone(lookErr) && !a.running(a.session.Patience(endLimit)) {
		return nil
	}
	if lookErr != nil {
		a.last.Error = lookErr.Error()
	}
	return unlessDeclined(lookErr)
}

// running says whether the target is as it has to be, and records that. Where it
// ends within wait that is the finding, and it answers no questions.
func (a *runningArm) running(wait time.Duration) bool {
	state := a.state(wait)
	a.recorder.Write(trial.Line{Check: &state})
	return state.OK
}

// endLimit is how long a target that is to end may take after the last answer.
var endLimit = 5 * time.Second

// state says whether PID 1 still runs after wait, or how it ended where it had to.
func (a *runningArm) state(wait time.Duration) trial.Check {
	check := trial.Check{Name: "target", Want: "running", Got: "running"}
	if a.mustEnd() {
		check.Want, wait = a.Ends, a.session.Patience(cmp.Or(a.EndWithin, endLimit))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-a.sandbox.Done():
	case <-timer.C:
	}
	select {
	case <-a.sandbox.Done():
		check.Got = a.sandbox.Ended()
	default:
	}
	// One that was cut short may have had its reason to end, or not.
	check.OK = check.Got == check.Want ||
		a.last.Stopped != "" && a.Ends != "" && check.Got == a.Ends
	return check
}

// mustEnd says whether what was to end the target has happened.
func (a *runningArm) mustEnd() bool {
	return a.Ends != "" && a.last.Stopped == "" && (a.injected == nil || a.last.FaultHits > 0)
}
