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
		// A shell that is killed before it has started its child leaves no one behind:
		// where starting takes longer, the timeout comes later.
		limit := s.Stretched(overtimeLimit)
		trials := s.Scale.Trials(each(len(overtimes), 2, 3, 12))
		arm := session.Arm{
			Trials: trials + 1, InFlight: len(overtimes), Bursts: true,
			Commands: overtime(limit, trials), Wait: limit,
			Watch: check.Settles(check.NobodyLeft), Used: true,
		}
		baseline, sound := naive(arm, "", trial.Symptom(trial.Hung),
			check.TooMany(check.Processes)), candidate(arm)
		baseline.Trials, baseline.Deadline = len(overtimes), limit+time.Second // one of each kind
		sound.Prompt = limit + 2*time.Second
		return session.Experiment{SideBySide: true, Arms: []session.Arm{baseline, sound}}
	})

const overtimeLimit = 500 * time.Millisecond

// overtimes run for longer than any deadline in the shell, in a child, in a grandchild, or
// in a child that has left the process group. A daemon may be late with one of them
// alone, so each is a kind of its own.
var overtimes = []look{
	{"shell", "exec sleep 1000"},
	{"child", "sleep 1000; :"},
	{"grandchild", "(sleep 1000; :) & wait"},
	{"setsid", "setsid sleep 1000 & wait"},
	{"setsid-twice", "setsid sh -c 'setsid sleep 1000 & sleep 1000; :' & wait"},
	// Any name is a process's, also one that seems to end a field (proc_pid_stat(5)).
	{"name", `sh -c 'echo ") Z 1 1 (" >/proc/$$/comm; setsid sleep 1000 & wait' & wait`},
	// An idle limit is another thing: it begins anew with all that is written.
	{"talks", "while :; do echo x; sleep 0.05; done"},
	// No one's child any more, but with the output in hand: no answer waits for it.
	{"orphan", "(setsid sleep " + seconds(heldFor) + " &); sleep 1000; :"},
	{"many", "i=0; while [ $i -lt 40 ]; do setsid sleep 1000 & i=$((i+1)); done; wait"},
	{"deep", `export D='[ $1 -gt 0 ] || exec sleep 1000; setsid sh -c "$D" d $(($1-1)) & wait'; ` +
		`sh -c "$D" d 12; :`},
}

// overtime is each of them, and at last a command that ends the orphans.
func overtime(limit time.Duration, last int) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		if index == last {
			c := load.Instant(index, r)
			c.Kind, c.Script = "release", endSleeps(heldFor)+c.Script
			return c
		}
		shape := overtimes[index%len(overtimes)]
		return load.Command{
			Kind:    "overtime-" + shape.kind,
			Request: dialect.Request{Script: shape.script, Timeout: limit},
			Want:    trial.Want{Timeout: true},
		}
	}
}
