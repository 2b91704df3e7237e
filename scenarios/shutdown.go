package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// `docker stop` sends SIGTERM and, ten seconds later, SIGKILL. In between a
// daemon can still answer for the commands that run. One that ends at once
// strands them, and one that waits for ever is killed with them.
var _ = should("shutdown", "SIGTERM with commands in flight",
	"lets them finish and exits 0, where a naive daemon strands them",
	func(s *session.Session) session.Experiment {
		const commands, beforeTheEnd = 8, 2 * time.Second
		arm := session.Arm{
			Trials: commands, InFlight: commands, Commands: load.UntilWoken,
			// A request that is not being served when the signal comes is refused, and
			// rightly so: every command must be seen to run first.
			Fault: fault.Signal{Signal: syscall.SIGTERM, Processes: commands, Named: "sleep",
				EndAfter: beforeTheEnd},
			Wait: beforeTheEnd,
		}
		candidate := candidate(arm)
		candidate.Ends = "exit status 0"
		candidate.Commands = atLast(s.Feeds())
		// All commands at once, and one arm after the other.
		return session.Experiment{Turns: 1,
			Arms: []session.Arm{naive(arm, "", trial.Symptom(trial.Error)), candidate}}
	})

// atLast is, in turn, such a command, one that reads its input only then, and one that leaves an
// orphan: a daemon that stops has stopped neither writing nor reaping. The fifth ends last, and its
// large answer is not yet sent then.
func atLast(feeds bool) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		switch {
		case index == 4:
			// By then the others have ended. What sleeps by its usual name is woken at once.
			const meanwhile = "timeout 0.1 tail -f /dev/null 2>/dev/null; "
			c := megabyte(index, r)
			c.Script = meanwhile + c.Script
			c = load.OnceWoken(c)
			c.Kind = "until-woken-writes-much"
			return c
		case index%4 == 2:
			c := load.OnceWoken(finds(load.Instant(index, r), look{"", unreaped}))
			c.Kind = "until-woken-orphan"
			return c
		case index%2 == 1 && feeds:
			return readsAtLast(index, r)
		}
		return load.UntilWoken(index, r)
	}
}

func readsAtLast(index int, r *rand.Rand) load.Command {
	const unread = 300_000 // several pipes' (pipe(7))
	input := strings.Repeat("x", unread)
	c := load.Instant(index, r)
	c.Script = "echo $(wc -c); " + c.Script
	c.Want.Output = fmt.Sprintf("%d\n", unread) + c.Want.Output
	c = load.OnceWoken(c)
	c.Kind, c.Stdin = "until-woken-reads", &input
	return c
}
