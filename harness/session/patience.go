package session

import (
	"cmp"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// patience counts the trials of an arm that only cost time. With too many of
// them it ends the arm, which would take hours otherwise and tell no more.
type patience struct {
	hung atomic.Int32
	cut  atomic.Bool // a trial was left out; an arm whose last ones took long is done

	mu         sync.Mutex
	stuck      int32     // times at which trials were stuck
	stuckUntil time.Time // the end of the last of them
}

// stuckAfter is below the limit at which a held call lets go, and far above what a
// fault means to take.
var stuckAfter = 8 * time.Second

func (p *patience) note(outcome trial.Outcome, sent time.Time, took time.Duration,
	underFault bool, limit time.Duration) {
	switch {
	case outcome == trial.Hung:
		p.hung.Add(1)
	case underFault && took >= limit:
		p.noteStuck(sent)
	}
}

// noteStuck counts trials that were stuck at the same time as one: a machine that stands
// still for a while holds all that are in flight.
func (p *patience) noteStuck(sent time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if sent.After(p.stuckUntil) {
		p.stuck++
	}
	p.stuckUntil = time.Now()
}

// stuckTimes is how often trials were stuck.
func (p *patience) stuckTimes() int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stuck
}

// mostStuck times are enough.
const mostStuck = 3

// deadline bounds the next trial's answer. One that has hung for all of this machine's
// patience decides what is to be clean; what hangs after it need not cost as much.
func (a *runningArm) deadline() time.Duration {
	limit := cmp.Or(a.Deadline, DefaultDeadline)
	switch hung := a.patience.hung.Load() > 0; {
	case a.Role == trial.Candidate && a.Claim == trial.Clean && hung:
		return limit
	case a.Role == trial.Candidate && a.hangsOften(): // in storms too, which may take a minute
		limit = min(limit, DefaultDeadline)
	case a.Role == trial.Baseline: // which hangs on purpose: what it waits for is no work
		wait := min(a.Wait, limit)
		return wait + a.session.Patience(limit-wait)
	}
	return a.session.Patience(limit)
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
	if n := a.patience.stuckTimes(); n >= mostStuck {
		return fmt.Sprintf("stopped when the fault had held trials for %v and more %d times",
			a.session.Patience(stuckAfter), n)
	}
	return ""
}

func (a *runningArm) tooManyHung() bool {
	return a.Role != trial.Baseline && a.patience.hung.Load() >= a.mostHung()
}

// hangsOften arms that were given up are enough to know a candidate that hangs: in each
// further one the first trial that hangs says it again, and costs as long as it waits.
const hangsOften = 5

func (a *runningArm) hangsOften() bool { return a.session.armsHung.Load() >= hangsOften }

func (a *runningArm) mostHung() int32 {
	if a.hangsOften() {
		return 1
	}
	return int32(max(3, a.InFlight))
}
