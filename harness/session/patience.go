package session

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// patience counts the trials of an arm that only cost time. With too many of
// them it ends the arm, which would take hours otherwise and tell no more.
type patience struct {
	hung, stuck atomic.Int32
	cut         atomic.Bool // a trial was left out; an arm whose last ones took long is done
}

// stuckAfter is below the limit at which a held call lets go, and far above what a
// fault means to take.
var stuckAfter = 8 * time.Second

func (p *patience) note(outcome trial.Outcome, took time.Duration, underFault bool,
	limit time.Duration) {
	switch {
	case outcome == trial.Hung:
		p.hung.Add(1)
	case underFault && took >= limit:
		p.stuck.Add(1)
	}
}

// givenUp says whether the next trial is left out, and keeps that one was.
func (a *runningArm) givenUp() bool {
	if a.exhausted() == "" {
		return false
	}
	a.patience.cut.Store(true)
	return true
}

// cutShort says why trials were left out; empty where none was.
func (a *runningArm) cutShort() string {
	if !a.patience.cut.Load() {
		return ""
	}
	return a.exhausted()
}

// exhausted says why no more trials are to be run; empty while they are. A baseline
// may be made to hang, and goes on.
func (a *runningArm) exhausted() string {
	if a.tooManyHung() {
		return fmt.Sprintf("stopped after %d trials that hung", a.patience.hung.Load())
	}
	if n := a.patience.stuck.Load(); n >= a.tooMany() {
		return fmt.Sprintf("stopped after %d trials that the fault held for %v and more", n,
			a.session.Patience(stuckAfter))
	}
	return ""
}

// tooMany is how many trials that only cost time are enough.
func (a *runningArm) tooMany() int32 { return int32(max(3, a.InFlight)) }

func (a *runningArm) tooManyHung() bool {
	return a.Role != trial.Baseline && a.patience.hung.Load() >= a.tooMany()
}
