package session

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// patience counts the trials of an arm that only cost time. With too many of
// them it ends the arm, which would take hours otherwise and tell no more.
type patience struct{ hung, stuck atomic.Int32 }

// stuckAfter is below the limit at which a held call or a fault point lets go,
// and far above what a fault means to take.
var stuckAfter = 8 * time.Second

func (p *patience) note(outcome trial.Outcome, took time.Duration, underFault bool) {
	switch {
	case outcome == trial.Hung:
		p.hung.Add(1)
	case underFault && took >= stuckAfter:
		p.stuck.Add(1)
	}
}

// exhausted says why no more trials are run; empty while they are. A baseline
// may be made to hang, and goes on.
func (a *runningArm) exhausted() string {
	enough := int32(max(3, a.InFlight))
	if n := a.patience.hung.Load(); a.Role != trial.Baseline && n >= enough {
		return fmt.Sprintf("stopped after %d trials that hung", n)
	}
	if n := a.patience.stuck.Load(); n >= enough {
		return fmt.Sprintf("stopped after %d trials that the fault held for %v and more", n, stuckAfter)
	}
	return ""
}
