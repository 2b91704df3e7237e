package scenarios

import (
	"math/rand/v2"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A debugger, a checkpoint, a sandbox that is put to sleep between two requests: PID 1
// stands still and its commands do not. When it goes on they have all ended, and one
// SIGCHLD tells of them (signal(7)). A reaper that takes one child for each signal, or
// so many in a pass, leaves the others until something else ends.
var _ = scenario("stopped", "a daemon that is stopped while commands end",
	"answers for all of them when it goes on, and for some where a naive reaper takes one for each signal",
	func(s *session.Session) session.Experiment {
		const atOnce = 50
		rounds := s.Scale.Trials(session.Count{Floor: 1, Quick: 2, Standard: 10})
		arm := session.Arm{
			Trials: rounds * atOnce, InFlight: atOnce, Bursts: true, Commands: load.UntilWoken,
			Fault: fault.Standstill{Commands: atOnce}, MinHits: int64(rounds),
			Watch: check.Settles(check.NobodyLeft),
		}
		baseline := naive(arm, "one-by-one", trial.Symptom(trial.Hung))
		baseline.Trials, baseline.MinHits, baseline.Watch = atOnce, 1, nil
		// All of them must begin within it, or there is no standstill.
		baseline.Deadline, baseline.Wait = 4*time.Second, time.Second
		// By then a watchdog takes it for dead, and for a timer all of that time has passed.
		const long, few = 11 * time.Second, 4
		suspended := candidate(session.Arm{
			Trials: few + 1, InFlight: few, Bursts: true, Commands: thenOneMore(few),
			Fault: fault.Standstill{Commands: few, For: long}, MinHits: 1,
			Wait: long, Deadline: long + time.Minute,
		})
		suspended.Name += "-for-long"
		return session.Experiment{SideBySide: true,
			Arms: []session.Arm{baseline, candidate(arm), suspended}}
	})

// thenOneMore are so many that sleep until they are woken, and one that comes after them, for
// long enough to see what a target that has been away does about it.
func thenOneMore(woken int) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		if index < woken {
			return load.UntilWoken(index, r)
		}
		c := load.Lasting(time.Second)(index, r)
		c.Kind = "afterwards"
		return c
	}
}
