package scenarios

import (
	"math/rand/v2"
	"time"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A build runs for minutes while an editor asks for `git status`. A lock that
// is held while one child is waited for, or a reaper that waits for a child by
// its number, makes all others wait as long as the slowest command takes.
var _ = scenario("long-and-short", "short commands beside a long one",
	"are answered while it runs, where a naive daemon with a lock around its work makes them wait",
	func(s *session.Session) session.Experiment {
		control := naive(session.Arm{Trials: every, InFlight: 4, Commands: longAndShort, Deadline: time.Second}, "serial", trial.Symptom(trial.Hung))
		sound := candidate(session.Arm{Trials: s.Scale.Trials(40, 200), InFlight: 4, Commands: longAndShort})
		return session.Experiment{SideBySide: true, Arms: []session.Arm{control, sound}}
	})

// every is how many commands there are to a long one.
const every = 20

// longAndShort is, of every twenty, one that lasts until a later one ends it:
// where the others wait for it, nobody is answered. So there is no race with a
// clock that a busy machine could lose.
func longAndShort(index int, r *rand.Rand) load.Command {
	const released, again = 10, 5
	turn := index % every
	if turn == 0 {
		c := load.UntilTerminated(index, r)
		c.Kind = "long"
		return c
	}
	c := load.Instant(index, r)
	// Together they outlast the second after which a reaper may ask for each child.
	c.Kind, c.Script = "short", "{ sleep 0.5; } 2>/dev/null; "+c.Script // the release may end it
	if released <= turn && turn < released+again {                      // more than one, should the long one start late
		c.Kind, c.Script = "release", terminateSleeps+c.Script
	}
	return c
}

// terminateSleeps finds them by what they were called with, which a shell that
// speaks of sleep does not begin with.
const terminateSleeps = "for p in /proc/[0-9]*; do read -r l <$p/cmdline; case $l in sleep*) kill ${p#/proc/};; esac; done 2>/dev/null; "
