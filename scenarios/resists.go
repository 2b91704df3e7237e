package scenarios

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// SIGTERM asks; it can be ignored, and waits until a stopped process goes on
// (signal(7)). Whoever sends it and takes the command for gone leaves it behind, and
// whoever waits for its end waits for ever: only SIGKILL ends what resists. A daemon
// may ask first. This checks that it does not leave it at that.
var _ = should("resists", "a command that resists SIGTERM",
	"is gone all the same after its timeout and its client's hang-up, where a naive daemon leaves it "+
		"at the question",
	func(s *session.Session) session.Experiment {
		// What is asked before it has begun to resist is gone at once.
		limit := s.Stretched(overtimeLimit)
		arm := func(shapes []look) session.Arm {
			return session.Arm{
				Trials: s.Scale.Trials(each(len(shapes), 3, 3, 12)), InFlight: 3 * len(shapes),
				Commands: resists(shapes, limit), Wait: 2 * limit, Deadline: limit + resistLimit,
				Watch: check.Settles(check.NobodyLeft),
			}
		}
		all := slices.Concat(resistance, resistanceApart)
		baseline := naive(arm(all), "polite", trial.Symptom(trial.Hung),
			check.TooMany(check.Processes))
		baseline.Trials, baseline.Commands = len(all), resists(all, unhurried*limit)
		baseline.Wait, baseline.Deadline = unhurried*limit, unhurried*limit+time.Second
		apart := candidate(arm(resistanceApart))
		apart.Name += leftGroup
		return session.Experiment{SideBySide: true,
			Arms: []session.Arm{baseline, candidate(arm(resistance)), apart}}
	})

// resistLimit is how long a daemon may leave between the question and the end: as
// long as docker stop does.
const resistLimit = 10 * time.Second

// resistance sleeps for longer than any of this takes.
var resistance = []look{
	{"shell", "trap '' TERM; sleep 1000 & wait; sleep 1000; :"},
	{"all-signals", "trap '' TERM HUP INT QUIT USR1 USR2; while :; do sleep 1000; done"},
	{"child", "sh -c 'trap \"\" TERM; sleep 1000; :' & wait"},
	// A handler that ends well does not make it a success: timeout(1) says 124, and os/exec its
	// context's error.
	{"ends-well", "trap 'exit 0' TERM; sleep 1000 & wait"},
	{"takes-its-time", "trap 'sleep 1000' TERM; sleep 1000; sleep 1000"},
	{"stopped", "kill -STOP $$; sleep 1000"},
	{"stopped-child", "sh -c 'kill -STOP $$; sleep 1000' & wait"},
}

// resistanceApart does so outside of the command's process group.
var resistanceApart = []look{
	{"apart-session", "setsid sh -c 'trap \"\" TERM; sleep 1000; :' & wait"},
	// Not there when the tree was looked at first.
	{"apart-starts-another", "trap 'setsid sleep 1000 & wait' TERM; sleep 1000; :"},
}

// goesAfter is how long after a command's timeout its client goes: most daemons leave it half
// a second and more between the question and the end.
const goesAfter = 100 * time.Millisecond

// resists is each of them with a timeout, then with a client that goes away, and with both.
func resists(resistance []look, limit time.Duration) load.Source {
	return func(index int, _ *rand.Rand) load.Command {
		shape := resistance[index%len(resistance)]
		c := load.Command{Kind: "resists-" + shape.kind, Want: trial.Want{Timeout: true}}
		c.Script, c.Timeout = shape.script, limit
		switch index / len(resistance) % 3 {
		case 1:
			c.Kind, c.Want = "abandoned-"+shape.kind, trial.Want{HangUp: true}
			c.Timeout, c.HangUpAfter = 0, limit/3
		case 2: // who goes while it is being ended, or has its answer by then
			c.Want = trial.Want{Anything: true}
			c.HangUpAfter = limit + goesAfter
		}
		return c
	}
}
