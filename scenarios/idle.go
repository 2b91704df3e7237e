package scenarios

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// With WNOHANG, wait4 returns 0 while children run and none of them has ended.
// A reaper that loops until there is an error does not rest then: it has been
// seen to log "reaping child process 0" at 100 % CPU. A read that does not wait (read(2),
// EAGAIN) is the same for an output that a child holds. So is an event that nobody takes
// (epoll(7), level-triggered), such as that a client has closed its sending side, or to ask
// again and again whether a command has ended: that shows only while the command runs.
var _ = should("idle", "a daemon with nothing to do but a child that runs on",
	"rests, where a reaper that polls keeps a CPU busy",
	func(s *session.Session) session.Experiment {
		arm := session.Arm{
			Trials: s.Scale.Trials(sleepers), InFlight: 4, Commands: leavesSleeper,
			Watch: check.Rests,
		}
		baseline := naive(arm, "polling", trial.FailedCheck(check.Busy))
		// It takes a whole CPU from all others meanwhile, so the candidate has its turns first.
		baseline.Trials, baseline.Round = 2, 2
		lasting := min(s.Stretched(sleepsMeanwhile), 2*sleepsMeanwhile)
		meanwhile := candidate(session.Arm{
			Trials: 4, InFlight: 4, Wait: lasting, Round: 1, Watch: check.RestsMeanwhile,
			Commands: onlySleeps(lasting, s.Candidate.Dialect),
		})
		meanwhile.Name += "-meanwhile"
		return session.Experiment{SideBySide: true,
			Arms: []session.Arm{baseline, candidate(arm), meanwhile}}
	})

// sleepsMeanwhile is several looks of check.RestsMeanwhile.
const sleepsMeanwhile = 2 * time.Second

// onlySleeps are commands for which there is nothing to do until they end.
func onlySleeps(d time.Duration, asked dialect.Dialect) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		c := load.Instant(index, r)
		c.Kind, c.Script = "only-sleeps", fmt.Sprintf("sleep %s; %s", seconds(d), c.Script)
		switch {
		case index == 1 && asked.Simple(): // a target may take that for a hang-up
			c.Kind, c.Want = "half-closed-only-sleeps", trial.Want{Anything: true}
			c.HalfClose = true
		case index == 2 && asked.SaysInput(): // which it may refuse
			c.Kind, c.Stdin, c.Want = "fed-only-sleeps", &longInput, trial.Want{Anything: true}
		case index == 3 && asked.TimesOut():
			c.Kind, c.Timeout = "limited-only-sleeps", time.Minute
		}
		return c
	}
}

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
