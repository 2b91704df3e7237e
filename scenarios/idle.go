package scenarios

import (
	"fmt"
	"math/rand/v2"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// With WNOHANG, wait4 returns 0 while children run and none of them has ended.
// A reaper that loops until there is an error does not rest then: it has been
// seen to log "reaping child process 0" at 100 % CPU. A read that does not wait (read(2),
// EAGAIN) is the same for an output that a child holds.
var _ = should("idle", "a daemon with nothing to do but a child that runs on",
	"rests, where a reaper that polls keeps a CPU busy",
	func(s *session.Session) session.Experiment {
		arm := session.Arm{
			Trials: s.Scale.Trials(sleepers), InFlight: 4, Commands: leavesSleeper,
			Watch: check.Rests,
		}
		baseline := naive(arm, "polling", trial.FailedCheck(check.Busy))
		// It takes a whole CPU from all others meanwhile, so the candidate has its turn first.
		baseline.Trials, baseline.Round = 2, 1
		return session.Experiment{Arms: []session.Arm{baseline, candidate(arm)}}
	})

// leavesSleeper leaves a child that outlives the look at the end.
func leavesSleeper(index int, r *rand.Rand) load.Command {
	c := registered(index, r)
	kind, output := "leaves-sleeper", " >/dev/null 2>&1"
	if index%4 == 2 { // a reaper that asks for stopped children is told of it again and again
		c.Kind = "leaves-stopped"
		c.Script = "(sh -c 'kill -STOP $$; :' &) >/dev/null 2>&1; " + c.Script
		return c
	}
	if index%4 == 3 { // not among the two of the baseline, which would wait for it
		kind, output = "held-stdout-idle", ""
	}
	c.Kind, c.Script = kind, fmt.Sprintf("sleep 1000%s & %s", output, c.Script)
	return c
}
