package scenarios

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
)

// A build runs for minutes while an editor asks for `git status`. A lock that
// is held while one child is waited for, or a reaper that waits for a child by
// its number, makes all others wait as long as the slowest command takes.
var _ = scenario("long-and-short", "short commands beside a long one",
	"are answered while it runs, where a naive daemon with a lock around its work makes them wait",
	func(s *session.Session) session.Experiment {
		arm := session.Arm{
			Trials: s.Scale.Trials(40, 200), InFlight: 4, Commands: longAndShort,
		}
		return session.Experiment{SideBySide: true, Arms: []session.Arm{naive(arm, "serial"), candidate(arm)}}
	})

// longAndShort is one long command in forty; the others keep three clients busy
// for the first half of it.
func longAndShort(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	if index%40 == 0 {
		c.Kind, c.Script = "long", "sleep 4; "+c.Script
		return c
	}
	c.Kind, c.Script = "short", fmt.Sprintf("sleep 0.1; %s", c.Script)
	// The long one may keep nobody waiting for half of its time.
	c.Within = 2 * time.Second
	return c
}
