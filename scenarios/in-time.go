package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Most commands that have a timeout do not need it. Whoever asks the timer instead
// of the command says "timed out" of all of them; whoever kills in the instant in
// which the command ends finds no one to kill, and no one to wait for (kill(2),
// ESRCH): the answer is then the command's code or the timeout's word, and nothing
// between them. SIGKILL has other senders than the timeout (signal(7)): whoever reads
// "timed out" from the signal says so of a command that was killed by somebody else. One
// that is cut short has written something by then, and that is mostly why it is asked what
// it was doing.
var _ = scenario("in-time", "a command that ends before its timeout, or just then",
	"has its own code or has timed out, where a naive daemon says so of all that have a timeout",
	func(s *session.Session) session.Experiment {
		lasting := s.Patience(lasts)
		arm := session.Arm{
			Trials: s.Scale.Trials(inTime), InFlight: inTimeAtOnce, Wait: lasting,
			Commands: endsInTime(lasting, s.Patience(spare), s.Stretched(wrote)),
			Watch:    check.Settles(check.NobodyLeft),
		}
		baseline := naive(arm, "timed", trial.Symptom(trial.Error))
		baseline.Trials, baseline.Watch = 4, nil
		mute := naive(arm, "mute", trial.Symptom(trial.Output))
		mute.Trials, mute.Watch = 1, nil
		mute.Commands = func(index int, r *rand.Rand) load.Command {
			return writesFirst(load.Instant(index, r), s.Stretched(wrote))
		}
		return session.Experiment{SideBySide: true,
			Arms: []session.Arm{baseline, mute, candidate(arm)}}
	})

// At the boundary a wrong answer is a matter of luck, so most commands go there.
var inTime = session.Count{Floor: 2 * inTimeAtOnce, Quick: 2 * inTimeAtOnce,
	Standard: 20 * inTimeAtOnce}

const (
	inTimeAtOnce = 24
	// boundary is a timeout that every dialect can say, and spread how far from it a
	// command ends, on either side.
	boundary = time.Second
	spread   = 20 * time.Millisecond
	// lasts is how long the others last, and spare what their limit leaves: less than that
	// twice more, however slow the machine is.
	lasts, spare = 2 * time.Second, 3 * time.Second
	// wrote is a timeout before which a command has long written what it writes at first.
	wrote = 3 * time.Second
	// farAway is more than 31 bits of milliseconds, the most that some timers take: those
	// of Node.js fire at once then (setTimeout, "when delay is larger than 2147483647").
	farAway = 30 * 24 * time.Hour
)

// meant are codes that mean something to somebody: timeout(1) ends with 124 to 127 and 137, a
// shell with 126 to 128 and more for a signal, ssh(1) with 255. Here they are the command's own.
var meant = []int{124, 125, 137, 143, 255, 126, 127, 128, 130, 129, 1, 2}

// printed is the part of an instant command that writes its nonce.
func printed(c load.Command) string { return "echo " + strings.TrimSpace(c.Want.Output) }

// endsInTime is, in turn, 24 commands of which most end at their timeout, and as many
// that last. Those have a limit of their own or none, whatever their connection has
// seen, and it does not begin before they do: a daemon that runs eight at a time would
// be late with the last of them.
func endsInTime(lasting, spare, wrote time.Duration) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		c := load.Instant(index, r)
		if index/inTimeAtOnce%2 == 0 {
			switch index % inTimeAtOnce {
			case 10:
				return writesFirst(c, wrote)
			case 14:
				return writesErrors(c, wrote)
			}
			return endsAtItsLimit(index, c, r)
		}
		c.Kind, c.Script = "no-limit", fmt.Sprintf("sleep %s; %s", seconds(lasting), c.Script)
		if index%2 == 1 {
			c.Kind, c.Timeout = "later-limit", lasting+spare
			c.Want.Code = meant[index/2%len(meant)]
			c.Script = fmt.Sprintf("sleep %s; %s; exit %d", seconds(lasting), printed(c),
				c.Want.Code)
		}
		return c
	}
}

// endsBySignal is a command that ends itself so.
func endsBySignal(c *load.Command, sig syscall.Signal) {
	c.Kind = sig.String()
	c.Script = fmt.Sprintf("%s; kill -%d $$", printed(*c), sig)
	c.Want.Code = 128 + int(sig)
}

// writesFirst is cut short after it has written more than one read gives, in two parts, the
// last without a newline.
func writesFirst(c load.Command, limit time.Duration) load.Command {
	const more = 60000
	nonce := strings.TrimSpace(c.Want.Output)
	c.Kind, c.Timeout = "overtime-wrote", limit
	c.Script = fmt.Sprintf("echo %s; head -c %d /dev/zero | tr '\\0' x; printf %s; exec sleep 1000",
		nonce, more, nonce)
	c.Want = trial.Want{Timeout: true, SoFar: true, PrefixOnly: true,
		Output: nonce + "\n" + strings.Repeat("x", more) + nonce}
	return c
}

// writesErrors is cut short after it has written to standard error alone: that is another
// buffer in many a daemon, which is looked at on the usual way out.
func writesErrors(c load.Command, limit time.Duration) load.Command {
	c.Kind, c.Timeout = "overtime-wrote-errors", limit
	c.Script = printed(c) + " >&2; exec sleep 1000"
	c.Want = trial.Want{Timeout: true, SoFar: true, PrefixOnly: true, Merged: true,
		Output: c.Want.Output}
	return c
}

func endsAtItsLimit(index int, c load.Command, r *rand.Rand) load.Command {
	if index%4 == 0 {
		c.Kind, c.Timeout = "not-needed", time.Minute
		if index%8 == 0 { // by the signals that a timeout sends too
			endsBySignal(&c, []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM}[index/8%2])
			return c
		}
		// A target may say that this is more than it can wait.
		c.Kind, c.Timeout, c.Want.MayNotRun = "far-away", farAway, true
		c.Script = "sleep 0.3; " + c.Script // a limit that is over at once comes before that
		return c
	}
	if index%8 == 6 { // which ends nowhere near a whole second, and not before it is due
		c.Kind, c.Script, c.Timeout = "overtime-fraction", "sleep 1000; :", boundary*3/2
		c.Want = trial.Want{Timeout: true}
		return c
	}
	c.Kind, c.Timeout, c.Want.MayTimeout = "just-then", boundary, true
	if index%4 == 1 { // by its own choice, but because of the timeout
		c.Kind = "ends-when-asked"
		c.Script = fmt.Sprintf("trap 'exit %d' TERM; %s; sleep 1000 >/dev/null 2>&1 & wait",
			c.Want.Code, printed(c))
		return c
	}
	asleep := boundary - spread + time.Duration(r.Int64N(int64(2*spread)))
	c.Script = fmt.Sprintf("sleep %s; %s", seconds(asleep), c.Script)
	return c
}
