package scenarios

import (
	"math/rand/v2"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Killing the shell alone leaves what it started: grandchildren run on, and one
// that holds the output pipe keeps a reader waiting for its end. A process
// group takes the signal as one (kill(2)); setsid leaves the group (setsid(2)).
var _ = should("timeout-group", "a command that outlives its timeout",
	"is gone with all that it started, and answered at once, where a naive daemon waits for the pipe",
	func(s *session.Session) session.Experiment {
		// A shell that is killed before it has started its child leaves nobody behind:
		// where starting takes longer, the timeout comes later.
		limit := s.Stretched(overtimeLimit)
		arm := session.Arm{
			Trials: s.Scale.Trials(overdue), InFlight: 6, Commands: overtime(limit), Wait: limit,
			Watch: check.Settles(check.NobodyLeft), Used: true,
		}
		control, sound := naive(arm, "", trial.Symptom(trial.Hung), check.TooMany(check.Processes)), candidate(arm)
		control.Trials, control.Deadline = 4, limit+time.Second // one of each kind
		sound.Prompt = limit + 2*time.Second
		return session.Experiment{SideBySide: true, Arms: []session.Arm{control, sound}}
	})

const overtimeLimit = 500 * time.Millisecond

// overtime runs for longer than any deadline in the shell, in a child, in a grandchild, or
// in a child that has left the process group. A daemon may be late with one of them
// alone, so each is a kind of its own.
func overtime(limit time.Duration) load.Source {
	shapes := [][2]string{
		{"overtime-shell", "exec sleep 1000"}, {"overtime-child", "sleep 1000; :"},
		{"overtime-grandchild", "(sleep 1000; :) & wait"}, {"overtime-setsid", "setsid sleep 1000 & wait"},
	}
	return func(index int, _ *rand.Rand) load.Command {
		shape := shapes[index%len(shapes)]
		return load.Command{
			Kind:    shape[0],
			Request: dialect.Request{Script: shape[1], Timeout: limit},
			Want:    trial.Want{Timeout: true},
		}
	}
}
