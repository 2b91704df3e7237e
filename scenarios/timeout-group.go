package scenarios

import (
	"math/rand/v2"
	"slices"
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
		// A shell that is killed before it has started its child leaves no one behind:
		// where starting takes longer, the timeout comes later.
		limit := s.Stretched(overtimeLimit)
		arm := func(shapes []look, limit time.Duration) session.Arm {
			trials := s.Scale.Trials(each(len(shapes), 2, 3, 12))
			return session.Arm{
				Trials: trials + 1, InFlight: len(shapes), Bursts: true,
				Commands: overtime(shapes, limit, trials), Wait: limit,
				Prompt: limit + 2*time.Second,
				Watch:  check.Settles(check.NobodyLeft), Used: true,
			}
		}
		all := slices.Concat(overtimes, overtimesApart)
		long := unhurried * limit
		baseline := naive(arm(all, long), "", trial.Symptom(trial.Hung),
			check.TooMany(check.Processes))
		baseline.Trials = len(all) // one of each kind
		baseline.Commands = overtime(all, long, len(all))
		baseline.Deadline, baseline.Prompt = long+time.Second, 0
		apart := candidate(arm(overtimesApart, long))
		apart.Name += leftGroup
		apart.Prompt = long + 5*time.Second // whoever looks for 150 of them takes longer
		return session.Experiment{SideBySide: true,
			Arms: []session.Arm{baseline, candidate(arm(overtimes, limit)), apart}}
	})

// leftGroup ends the names of arms whose commands have children that leave the process
// group. Who signals the group alone does not reach them: most daemons do not, so what is
// left of them weighs less.
const leftGroup = "-left-group"

const overtimeLimit = 500 * time.Millisecond

// unhurried times as much do a baseline's commands have before their timeout, and one that
// starts a hundred others. One that has not got anywhere by then shows nothing, and on a busy
// machine that would be all of them.
const unhurried = 4

// overtimes run for longer than any deadline in the shell, in a child or in a grandchild.
// A daemon may be late with one of them alone, so each is a kind of its own.
var overtimes = []look{
	{"shell", "exec sleep 1000"},
	{atOnce, "exec sleep 1000"},
	{"child", "sleep 1000; :"},
	{"grandchild", "(sleep 1000; :) & wait"},
	// An idle limit is another thing: it begins anew with all that is written.
	{"talks", "while :; do echo x; sleep 0.05; done"},
	// No one's child any more, but with the output in hand: no answer waits for it.
	{"orphan", "(setsid sleep " + seconds(heldFor) + " &); sleep 1000; :"},
}

// overtimesApart run on in a child that has left the process group. Causes are told
// apart by how their names begin.
var overtimesApart = []look{
	{"apart-setsid", "setsid sleep 1000 & wait"},
	{"apart-setsid-twice", "setsid sh -c 'setsid sleep 1000 & sleep 1000; :' & wait"},
	{"apart-many", "i=0; while [ $i -lt 150 ]; do setsid sleep 1000 & i=$((i+1)); done; wait"},
	{"apart-deep", `export D='[ $1 -gt 0 ] || exec sleep 1000; setsid sh -c "$D" d $(($1-1)) & wait'; ` +
		`sh -c "$D" d 12; :`},
	// Any name is a process's, also one that seems to end a field (proc_pid_stat(5)).
	{"apart-name", `sh -c 'echo ") Z 1 1 (" >/proc/$$/comm; setsid sleep 1000 & wait' & wait`},
}

// atOnce has a timeout that is small enough to be rounded down to none.
const atOnce = "at-once"

// overtime is each of them, and at last a command that ends the orphans.
func overtime(shapes []look, limit time.Duration, last int) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		if index == last {
			c := load.Instant(index, r)
			c.Kind, c.Script = "release", endSleeps(heldFor)+c.Script
			return c
		}
		shape, limit := shapes[index%len(shapes)], limit
		if shape.kind == atOnce {
			limit = 40 * time.Millisecond
		}
		return load.Command{
			Kind:    "overtime-" + shape.kind,
			Request: dialect.Request{Script: shape.script, Timeout: limit},
			Want:    trial.Want{Timeout: true},
		}
	}
}
