package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
)

// `yes`, a log that is followed, a binary that is printed: a command can write
// more than its sandbox has memory. A daemon that keeps all of it is killed by
// the kernel, and with it, being PID 1, everything else. Its beginning is kept or its end: a
// ring that is read from its first byte has neither. One that closes the pipe
// when it has enough kills the command by SIGPIPE (pipe(7)).
var _ = advice("flood", "a command that floods its output",
	"is cut in the answer and in memory, where a naive daemon keeps every byte",
	func(s *session.Session) session.Experiment {
		arm := session.Arm{
			Trials: s.Scale.Trials(floods), InFlight: 1, Commands: flood(floodBytes),
			Deadline: time.Minute, Work: 300,
			Watch: check.Settles(check.ComesBack(floodBytes, check.PeakMemory)),
		}
		// What is kept is copied several times on its way into an answer: a third of the
		// flood makes more than twice its size of it, for a third of the CPU time.
		baseline := naive(arm, "", check.TooMany(check.PeakMemory))
		baseline.Commands = flood(floodBytes / 3)
		return session.Experiment{Arms: []session.Arm{baseline, candidate(arm)}}
	})

// floodBytes is more than a daemon of this kind needs for itself, and less than
// the client reads of an answer: what is at fault shall be the memory.
const floodBytes = 64 << 20

func flood(bytes int) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		c := load.Instant(index, r)
		c.Kind = "flood"
		nonce := strings.TrimSpace(c.Want.Output)
		const form = `echo %s; head -c %d /dev/zero | tr '\0' x || exit %d; printf %%s %s; exit %d`
		c.Script = fmt.Sprintf(form, nonce, bytes, (c.Want.Code+1)%256, nonce, c.Want.Code)
		c.Want.Output, c.Want.PrefixOnly = nonce+"\n"+strings.Repeat("x", 1000), true
		c.Want.OrEnds = strings.Repeat("x", 1000) + nonce // who keeps the end of it
		return c
	}
}
