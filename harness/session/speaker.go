package session

import (
	"context"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/speaker"
	"github.com/reapcheck/reapcheck/harness/target"
)

// problem says why the answers of the arm's speaker count for nothing; nil as a rule. One
// that broke down over the end of its target is not to blame: that end is the finding,
// for which this waits.
func (a *runningArm) problem(ctx context.Context, wait time.Duration) error {
	why := a.speaker.Problem()
	if why == nil {
		return nil
	}
	if a.endedWithin(ctx, wait) {
		return nil
	}
	a.spoiled.Store(true)
	return why
}

// awaitReady waits until the target is ready, as it was when it was started.
func (a *runningArm) awaitReady(ctx context.Context) error {
	limit := a.session.Patience(healthLimit)
	if speaker.ByPort(a.target) {
		return sandbox.AwaitReady(ctx, a.sandbox, a.target.Dialect.Ready, limit)
	}
	return speaker.AwaitReady(ctx, a.speaker, a.sandbox.Done(), limit)
}

// Unsaid says why an experiment has nothing to judge a target by, in whose words its
// commands cannot be asked for; empty where it has.
func Unsaid(e Experiment, t target.Target) string {
	for _, arm := range e.Arms {
		a := &runningArm{Arm: arm, session: &Session{Candidate: t}, scenario: e.Scenario}
		a.target = a.session.targetOf(arm)
		if err := a.sayable(); err != nil {
			return "since " + err.(unsaid).why
		}
		if arm.Fault != nil && t.GoesAround {
			return "since what it holds is not in the way of commands that go around the target"
		}
		if fault.Connects(arm.Fault) && !a.target.Listens() {
			return "since clients of its own connect to the target, and nothing says where that " +
				"listens: give --port or --socket"
		}
	}
	return ""
}

// unsaid is a decline for want of words.
type unsaid struct{ why string }

func (u unsaid) Error() string      { return fault.ErrDeclined.Error() + ": " + u.why }
func (unsaid) Is(target error) bool { return target == fault.ErrDeclined }
