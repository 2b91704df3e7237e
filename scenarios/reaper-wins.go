package scenarios

import (
	"fmt"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Left alone, the waiter wins most of the time and ten requests see nothing.
// Here each wait is held until the reaper has taken the child, so the order
// that a busy machine brings about now and then is the only one there is. Load
// has no part in it: one request at a time loses as surely.
var _ = scenario("reaper-wins", "a reaper that always wins",
	"takes no exit code from the candidate, and every one from a daemon without a registry",
	func(s *session.Session) session.Experiment {
		var arms []session.Arm
		for round, inFlight := range []int{1, 16} {
			baseline, candidate := s.Scale.Trials(forcedLoss), s.Scale.Trials(forced)
			arms = append(arms, session.Arm{
				Name: fmt.Sprintf("baseline-%d", inFlight), Role: trial.Baseline,
				Strategy: "reaper-only", Claim: trial.LosesAll,
				Fault: reaperFirst(s), MinHits: int64(baseline),
				Trials: baseline, InFlight: inFlight, Commands: load.Instant, Round: round,
			}, session.Arm{
				Name: fmt.Sprintf("candidate-%d", inFlight), Role: trial.Candidate,
				Claim: trial.Clean,
				Fault: reaperFirst(s), MinHits: nearly(candidate),
				Trials: candidate, InFlight: inFlight, Commands: load.Instant, Round: round,
			})
		}
		if s.BlackBox {
			arms = append(arms, waiterFirst(s))
		}
		return session.Experiment{Busy: true, Divides: 20, Arms: arms}
	})

// waiterFirst is the target once more, with the reaper held instead of the
// waiter. A daemon that races loses nothing then, so its failures are the order's
// doing; what goes wrong either way has another cause. It is not judged: on a busy
// machine a waiter may be late for being first, and a sound daemon often has
// no one who could be. It is tried often enough for the reaper to be early at least
// once: on a machine that is slow to run it, it was so in one trial of four.
func waiterFirst(s *session.Session) session.Arm {
	return session.Arm{
		Name: "candidate-waiter-first", Role: trial.Witness, Claim: trial.NoClaim,
		Fault:  fault.Hold{Hub: s.Hub, Policy: seccomp.Policy{Rule: seccomp.WaiterWins}},
		Trials: 40, InFlight: 1, Commands: load.Instant,
	}
}

// reaperFirst stops whoever waits for a child until someone else has reaped
// it: in the reference daemon's own code, or from outside in any binary.
func reaperFirst(s *session.Session) fault.Fault {
	if s.BlackBox {
		return fault.Hold{Hub: s.Hub, Policy: seccomp.Policy{Rule: seccomp.ReaperWins,
			Limit: s.Patience(seccomp.DefaultLimit)}}
	}
	return fault.Point{Place: "before-wait", UntilReaped: true}
}

// nearly is how many of n trials a fault must have hit. Of a target that takes
// all its children by one call, a child that starts and ends between two such
// calls is never seen.
func nearly(n int) int64 { return int64(n - n/20) }
