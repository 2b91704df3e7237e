package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A background child inherits the command's standard output, so the pipe's end
// does not come when the command ends (pipe(7)). Whoever reads to the end first
// answers when the child feels like it; os/exec has WaitDelay for this since
// Go 1.20. Nor does silence come, for who waits for that: the child may go on writing.
var _ = should("held-stdout", "a background child that holds the output",
	"does not hold the answer, lives on, and is reaped when it ends, where a naive daemon waits for it",
	func(s *session.Session) session.Experiment {
		held := heldAtOnce * s.Scale.Trials(heldBursts)
		const patience = 2 * time.Second
		later := s.Stretched(boundary)
		baseline := naive(session.Arm{Trials: 3, InFlight: 3, Commands: heldStdout(later),
			Deadline: patience, Wait: patience}, "", trial.Symptom(trial.Hung))
		// The children end by a last command, a burst of its own: no one has to
		// wait for them, and no machine is too slow to answer before they end.
		sound := candidate(session.Arm{
			Trials: held + 1, InFlight: heldAtOnce, Bursts: true,
			Commands: byOthers(releasedAt(held, later, s.Candidate.Dialect),
				s.Candidate.Dialect.Simple()),
			// What a daemon keeps for each output that is held it has no use for any more.
			Watch: check.All(
				check.Settles(check.ComesBack(heldAtOnce, check.Files, check.Threads), check.NobodyLeft),
				check.Rests,
			),
			Used: true,
		})
		// Whoever reads for those that are left has places for so many.
		many := candidate(session.Arm{
			Trials: heldTogether + 1, InFlight: heldAtOnce, Bursts: true, Commands: manyHeld(later),
			Watch:     check.Settles(check.ComesBack(4*forgotten, check.Memory)),
			SeenTwice: check.Only(check.Memory), // as in grows
		})
		many.Name += "-many"
		return session.Experiment{SideBySide: true, Arms: []session.Arm{baseline, sound, many}}
	})

// heldFor is how long a child holds the output that no one ends: longer than any
// deadline. No helper of a target sleeps for just that long.
const heldFor = 1000011 * time.Millisecond

const heldAtOnce = 8

// meanwhile are commands of a burst that are ended while the others' children live, by their
// place in it: their end is no other's. They are those that the target can be asked for.
func meanwhile(d dialect.Dialect) map[int]func(c *load.Command) {
	ends := map[int]func(c *load.Command){}
	if d.TimesOut() {
		ends[4] = func(c *load.Command) {
			c.Kind, c.Timeout, c.Want = "times-out", overtimeLimit, trial.Want{Timeout: true}
		}
	}
	if d.HangsUp() {
		ends[3] = func(c *load.Command) {
			c.Kind, c.HangUpAfter, c.Want = "hangs-up", overtimeLimit, trial.Want{HangUp: true}
		}
	}
	return ends
}

// heldStdout leaves children that hold the output. They write when the command has been answered,
// which it is by then, however late a daemon on a busy machine looks.
func heldStdout(later time.Duration) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		c := load.EveryOther(index/heldAtOnce, r)
		leaveHolding(&c, index, later)
		return c
	}
}

func leaveHolding(c *load.Command, index int, later time.Duration) {
	switch index % heldAtOnce {
	case 0: // as a server is started; and the last line has no end
		const half = "setsid sleep %s & printf %s; exit %d"
		c.Want.Output = strings.TrimSpace(c.Want.Output)
		c.Kind, c.Script = "held-stdout-session",
			fmt.Sprintf(half, seconds(heldFor), c.Want.Output, c.Want.Code)
		return
	case 2: // what a daemon says of a signal is looked at elsewhere
		c.Kind, c.Script = "held-stdout-killed", fmt.Sprintf("sleep %s & kill -KILL $$", seconds(heldFor))
		c.Want = trial.Want{Anything: true}
		return
	case 4:
		c.Kind, c.Script = "held-stdout", fmt.Sprintf("sleep %s & %s", seconds(heldFor), c.Script)
		return
	case 5:
		// More than a pipe holds, and than a daemon keeps, when no one asks for it any more.
		// What it wrote before that is more than fits into a first, small buffer.
		const writes = "printf %%05000d 0; " +
			"(sleep %s; head -c 40000000 /dev/zero && exec sleep %s) & %s"
		c.Kind, c.Script = "held-stdout-writes",
			fmt.Sprintf(writes, seconds(later), seconds(heldFor), c.Script)
		c.Want.AnyOutput = true
		return
	case 6: // It begins when that one is answered, and its output is its own while more comes.
		const parts, length = 60, 8000
		c.Kind = "writes-meanwhile"
		c.Script = fmt.Sprintf("sleep %s; i=0; while [ $i -lt %d ]; do i=$((i+1)); "+
			"head -c %d /dev/zero | tr '\\0' x; done; %s", seconds(later), parts, length, c.Script)
		c.Want.Output = strings.Repeat("x", parts*length) + c.Want.Output
		return
	case 7: // which holds nothing: its command is over, and its timeout with it
		c.Kind = "leaves-in-time"
		c.Script = fmt.Sprintf("sleep %s >/dev/null 2>&1 & %s", seconds(heldFor), c.Script)
		return
	}
	// A child that goes on writing, until its own has ended.
	const talks = "(sleep %s & while kill -0 $!; do echo; sleep 0.05; done) 2>/dev/null & %s"
	c.Kind, c.Script = "held-stdout-talks", fmt.Sprintf(talks, seconds(heldFor), c.Script)
	c.Want.AnyOutput = true
}

// releasedAt is heldStdout up to the last trial. That one looks whether the
// children of all bursts are there, also after others' ends and once no timeout is to come
// any more, and ends them. Its code tells, since not every dialect has a word for output.
func releasedAt(last int, later time.Duration, d dialect.Dialect) load.Source {
	ended := meanwhile(d)
	children := last / heldAtOnce * (heldAtOnce - 1 - len(ended)) // one leaves none
	limit, rests := time.Duration(0), ""
	if d.TimesOut() {
		limit = d.Timeout(later)
		rests = fmt.Sprintf("sleep %s; ", seconds(limit+3*boundary/2)) // a second of grace is usual
	}
	leaves := heldStdout(later)
	return func(index int, r *rand.Rand) load.Command {
		if end := ended[index%heldAtOnce]; end != nil && index < last {
			c := load.Instant(index, r)
			c.Script = "sleep 1000; :"
			end(&c)
			return c
		}
		if index < last {
			c := leaves(index, r)
			if c.Kind == "leaves-in-time" {
				c.Timeout = limit
			}
			return c
		}
		c := load.Instant(index, r)
		c.Kind = "release"
		c.Script = fmt.Sprintf("%s%s%s[ $n -ge %d ] || { echo only $n children live; exit %d; }; %s",
			rests, awaitSleeps(heldFor, children, soonThere), endSleeps(heldFor), children,
			(c.Want.Code+1)%256, c.Script)
		return c
	}
}

// heldTogether is how many outputs are held at a time, in whole bursts.
const heldTogether = 9 * heldAtOnce

// manyThere are the looks for all of them, which write 288 MB together before they sleep.
const manyThere = 80

// manyHeld leaves a child that holds the output, again and again, and waits at last until each has
// written what no one asks for. They live on while the target's memory is looked at.
func manyHeld(later time.Duration) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		c := load.Instant(index, r)
		round := index / (heldTogether + 1) // all of it may be seen once more
		if index%(heldTogether+1) < heldTogether {
			// Together far more than a heap that is collected now and then grows to.
			const writes = "(sleep %s; head -c 4000000 /dev/zero | tr '\\0' x; exec sleep %s) & %s"
			c.Kind, c.Script = "held-stdout",
				fmt.Sprintf(writes, seconds(later), seconds(heldFor), c.Script)
			c.Want.PrefixOnly = true
			return c
		}
		c.Kind = "beside-held"
		c.Script = awaitSleeps(heldFor, heldTogether*(round+1), manyThere) + c.Script
		return c
	}
}

// byOthers has every second command asked for by a client that closes its connection with the
// answer, which is not the end of what the command has left running.
func byOthers(commands load.Source, simple bool) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		c := commands(index, r)
		if simple && index/2%2 == 0 {
			c.Way = dialect.Escaped // which has a connection of its own
		}
		return c
	}
}
