package scenarios

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Between the reaper's wait4 and the moment its result can be looked up the
// status is in no one's hands. The documented fix polls for a fixed time, 200
// ms by default, so a reaper that is kept off the CPU for longer (a CPU quota,
// a frozen container, a long GC) brings -1 back. A waiter that waits for the
// word itself has no such limit.
//
// So no clock decides: within its wait means a wait of a minute for a reaper that is
// 50 ms late, and beyond it means a reaper that is stopped until the handler has given
// up. From outside that order needs a delay: see docs/decisions.md, "Clocks".
var _ = scenario("late-publish", "a reaper that publishes late",
	"delays the candidate's answers, and makes the documented fix lose them once its wait is over",
	func(s *session.Session) session.Experiment {
		trials := s.Scale.Trials(slowly)
		late := func(name string, f fault.Fault, wait time.Duration) session.Arm {
			// The reaper publishes one child after the other, so one request at a
			// time sees just this delay.
			return session.Arm{
				Name: name, Fault: f, MinHits: int64(trials - 1),
				Trials: trials, InFlight: 1, Commands: registered, Wait: registeredFor + wait,
			}
		}
		within := late("documented-within", latePublish(s, shortly), shortly)
		within.Env = map[string]string{echildWait: "60000"}
		beyond := late("documented-beyond", publishedTooLate(s), documentedWait)
		arms := []session.Arm{documented(within, trial.Recovers), documented(beyond, beyondWait(s))}
		delays := []time.Duration{0, shortly, 2 * documentedWait, 5 * documentedWait}
		if s.Scale.Tier == session.Quick { // one on either side of the wait
			delays = delays[1:3]
		}
		for _, delay := range delays {
			arm := candidate(late("", latePublish(s, delay), delay))
			arm.Name, arm.MinHits = fmt.Sprintf("candidate-%v", delay), int64(trials)
			arm.Commands = leavesOne
			arms = append(arms, arm)
		}
		return session.Experiment{Arms: arms, SideBySide: true}
	})

const (
	// documentedWait is the documented fix's own, where its setting does not say more.
	documentedWait = 200 * time.Millisecond
	shortly        = documentedWait / 4
	registeredFor  = 100 * time.Millisecond
)

// registered runs for so long that the documented fix, too, has registered it
// when it ends: what comes of the others is late-register's finding.
var registered = load.Lasting(registeredFor)

// leavesOne leaves an orphan that ends with its command, or just after: the reaper then has
// a status of nobody's in hand, and whatever it holds meanwhile, while the next command
// starts.
func leavesOne(index int, r *rand.Rand) load.Command {
	c := registered(index, r)
	c.Kind = "leaves-one"
	c.Script = fmt.Sprintf("(sleep %s &) >/dev/null 2>&1; %s", seconds(registeredFor), c.Script)
	return c
}

// documented is a baseline that runs the documented fix.
func documented(arm session.Arm, claim trial.Claim) session.Arm {
	arm.Role, arm.Strategy, arm.Claim = trial.Baseline, "documented", claim
	return arm
}

// latePublish lets the reaper win and then stops it with the status in hand. One
// that is not late only wins.
func latePublish(s *session.Session, delay time.Duration) fault.Fault {
	switch {
	case delay == 0:
		return reaperFirst(s)
	case s.BlackBox:
		return fault.All{reaperFirst(s), fault.LateReturn{Call: fault.Wait4, Delay: delay}}
	}
	return fault.All{reaperFirst(s), fault.Point{Place: "before-publish", Sleep: delay}}
}

// publishedTooLate is latePublish until the documented fix has given up.
func publishedTooLate(s *session.Session) fault.Fault {
	if s.BlackBox {
		return latePublish(s, 4*documentedWait)
	}
	return fault.All{reaperFirst(s),
		fault.Point{Place: "before-publish", UntilArrival: "before-unregister"}}
}

// beyondWait is what the documented fix does under publishedTooLate. From outside a
// delay stands for the order: a handler that is kept off the CPU for as long finds the
// status after all.
func beyondWait(s *session.Session) trial.Claim {
	if s.BlackBox {
		return trial.Loses
	}
	return trial.LosesAll
}
