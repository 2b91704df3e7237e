package scenarios

import (
	"fmt"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Between the reaper's wait4 and the moment its result can be looked up the
// status is in nobody's hands. The documented fix polls for a fixed time, 200
// ms by default, so a reaper that is kept off the CPU for longer (a CPU quota,
// a frozen container, a long GC) brings -1 back. A waiter that waits for the
// word itself has no such limit.
var _ = scenario("late-publish", "a reaper that publishes late",
	"delays the candidate's answers, and makes the documented fix lose them once its wait is over",
	func(s *session.Session) session.Experiment {
		// Within its wait the documented fix is right as far as the machine lets it:
		// on a busy one, beside strace, the 150 ms between were not enough once.
		const documentedWait = 200 * time.Millisecond
		var arms []session.Arm
		delays := []time.Duration{0, 50, 400, 1000}
		if s.Scale.Tier == session.Quick { // one on either side of the wait
			delays = delays[1:3]
		}
		for _, delay := range delays {
			delay *= time.Millisecond
			claim := trial.Recovers
			if delay > documentedWait {
				claim = beyondWait
			}
			// The reaper publishes one child after the other, so one request at a
			// time sees just this delay.
			trials := s.Scale.Trials(5, 20)
			// The control's last answer may be there before the delay that it did not
			// wait for has begun.
			arms = append(arms, session.Arm{
				Name: fmt.Sprintf("documented-%v", delay), Role: trial.Baseline, Strategy: "documented", Claim: claim,
				Fault: latePublish(s, delay), MinHits: int64(trials - 1),
				Trials: trials, InFlight: 1, Commands: registered,
			}, session.Arm{
				Name: fmt.Sprintf("candidate-%v", delay), Role: trial.Candidate, Claim: trial.Clean,
				Fault: latePublish(s, delay), MinHits: int64(trials),
				Trials: trials, InFlight: 1, Commands: registered,
			})
		}
		return session.Experiment{Arms: arms, SideBySide: true}
	})

// beyondWait is what the documented fix does past its wait. Not LosesAll: a handler
// that is kept off the CPU for as long as the reaper finds the status after all.
const beyondWait = trial.Loses

// registered runs for so long that the documented fix, too, has registered it
// when it ends: what comes of the others is late-register's finding.
var registered = load.Lasting(100 * time.Millisecond)

// latePublish lets the reaper win and then stops it with the status in hand. One
// that is not late only wins.
func latePublish(s *session.Session, delay time.Duration) fault.Fault {
	if delay == 0 {
		return reaperFirst(s)
	}
	if s.BlackBox {
		return fault.Together{reaperFirst(s), fault.LateReturn{Call: fault.Wait4, Delay: delay}}
	}
	return fault.Together{
		reaperFirst(s),
		fault.Point{Place: "before-publish", Sleep: delay},
	}
}
