package scenarios

import (
	"math/rand/v2"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A pending SIGCHLD is not queued twice (signal(7)): one signal may stand for many
// ends, and one that comes while the reaper works must bring it back to work. A
// reaper that reaps, tells, and then empties its letter box loses the ends that came
// while it told: no one asks for those children until something else ends. Here each
// second command ends while the reaper tells of the first, and nothing else does.
var _ = likeness.scenario("told-meanwhile", "a command that ends while the reaper tells of another",
	"is reaped next, and waits for ever where a naive reaper takes back its own wake-up call",
	func(s *session.Session) session.Experiment {
		trials := 2 * s.Scale.Trials(session.Count{Floor: 4, Quick: 4, Standard: 20})
		arm := session.Arm{
			Trials: trials, InFlight: 2, Bursts: true,
			Commands: oneAfterTheOther(telling, telling/2), Wait: 2 * telling,
			Fault: fault.Point{Place: "before-publish", Sleep: telling}, MinHits: int64(trials),
		}
		if s.BlackBox { // a daemon that is made in another way may close some later
			arm.Fault, arm.MinHits = fault.LateReturn{Call: fault.Close, Delay: telling},
				int64(trials/2)
		}
		baseline := naive(arm, "drowsy", trial.Symptom(trial.Hung))
		baseline.Commands = oneAfterTheOther(telling, naiveTelling/2)
		baseline.Trials, baseline.Fault, baseline.MinHits, baseline.Deadline = 2, nil, 0,
			3*time.Second
		return session.Experiment{SideBySide: true, Arms: []session.Arm{baseline, candidate(arm)}}
	})

// telling is how long the reaper tells of one end. The naive one takes longer, of
// its own accord, since no one counts how often its second command ends meanwhile.
const (
	telling      = 150 * time.Millisecond
	naiveTelling = 800 * time.Millisecond
)

// oneAfterTheOther is, in turn, a command that ends at once and one that ends half
// way through the telling. Whichever begins first: of two that begin together one
// ends first.
func oneAfterTheOther(first, gap time.Duration) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		if index%2 == 0 {
			return load.Lasting(first)(index, r)
		}
		return load.Lasting(first+gap)(index, r)
	}
}
