package scenarios

import (
	"math/rand/v2"
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
	"is gone all the same after its timeout and its client's hang-up, where a naive daemon leaves it at the question",
	func(s *session.Session) session.Experiment {
		// What is asked before it has begun to resist is gone at once.
		limit := s.Stretched(overtimeLimit)
		arm := session.Arm{
			Trials: s.Scale.Trials(resisting), InFlight: 2 * len(resistance),
			Commands: resists(limit), Wait: 2 * limit,
			Watch: check.Settles(check.NobodyLeft),
		}
		baseline, sound := naive(arm, "polite", trial.Symptom(trial.Hung),
			check.TooMany(check.Processes)), candidate(arm)
		baseline.Trials, baseline.Deadline = len(resistance), limit+time.Second
		sound.Deadline = limit + resistLimit
		return session.Experiment{SideBySide: true, Arms: []session.Arm{baseline, sound}}
	})

// resistLimit is how long a daemon may leave between the question and the end: as
// long as docker stop does.
const resistLimit = 10 * time.Second

var resisting = each(len(resistance), 2, 2, 10)

// resistance sleeps for longer than any of this takes.
var resistance = []look{
	{"shell", "trap '' TERM; sleep 1000 & wait; sleep 1000; :"},
	{"all-signals", "trap '' TERM HUP INT QUIT USR1 USR2; while :; do sleep 1000; done"},
	{"child", "sh -c 'trap \"\" TERM; sleep 1000; :' & wait"},
	{"session", "setsid sh -c 'trap \"\" TERM; sleep 1000; :' & wait"},
	{"takes-its-time", "trap 'sleep 1000' TERM; sleep 1000; sleep 1000"},
	// Not there when the tree was looked at first, and in no group of the command's.
	{"starts-another", "trap 'setsid sleep 1000 & wait' TERM; sleep 1000; :"},
	{"stopped", "kill -STOP $$; sleep 1000"},
	{"stopped-child", "sh -c 'kill -STOP $$; sleep 1000' & wait"},
}

// resists is each of them with a timeout, and then with a client that goes away.
func resists(limit time.Duration) load.Source {
	return func(index int, _ *rand.Rand) load.Command {
		shape := resistance[index%len(resistance)]
		c := load.Command{Kind: "resists-" + shape.kind, Want: trial.Want{Timeout: true}}
		c.Script, c.Timeout = shape.script, limit
		if index/len(resistance)%2 == 1 {
			c.Kind, c.Want = "abandoned-"+shape.kind, trial.Want{HangUp: true}
			c.Timeout, c.HangUpAfter = 0, limit/3
		}
		return c
	}
}
