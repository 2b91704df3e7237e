package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Nothing ran, so there is no exit code to tell: not 127, which is the shell's
// word for a program that is not there (POSIX, 2.8.2), and not -1. A start that
// fails after its pipes were made must close them again.
var _ = should("start-errors", "a command that cannot be started",
	"is refused in words and leaves nothing open, where a naive daemon gives it an exit code",
	func(s *session.Session) session.Experiment {
		const inFlight, spare = 4, 16
		failed := s.Scale.Trials(failedStarts)
		arm := session.Arm{
			Trials: failed + 1, InFlight: inFlight,
			Commands: cannotStartInTime(s.Candidate.Dialect, failed),
			Watch:    check.Settles(check.ComesBack(inFlight+spare, check.Files, check.Threads)),
		}
		return session.Experiment{Busy: true,
			Arms: []session.Arm{naive(arm, "hoarding", trial.Symptom(trial.Lost),
				check.TooMany(check.Files), check.TooMany(check.Threads)), candidate(arm)}}
	})

// cannotStartInTime gives every second command a timeout, which comes when there is nothing
// to end, or on a busy machine before it is known that there is not. The last one starts, and
// lasts until they have all come.
func cannotStartInTime(d dialect.Dialect, last int) load.Source {
	limited := d.TimesOut()
	return func(index int, r *rand.Rand) load.Command {
		if index == last {
			c := load.Instant(index, r)
			c.Kind, c.Script = "afterwards", fmt.Sprintf("sleep %s; %s", seconds(2*overtimeLimit), c.Script)
			return c
		}
		c := cannotStart(index, r)
		if limited && c.Want.NotRun && index/6%2 == 0 {
			c.Timeout, c.Want.MayTimeout = overtimeLimit, true
		}
		return c
	}
}

// cannotStart is, in turn, what no one can start, and what only seems so: the
// shell itself answers 126 and 127.
func cannotStart(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	refused := trial.Want{NotRun: true}
	switch index % 6 {
	case 0:
		c.Kind, c.Cwd, c.Want = "cwd-missing", "/nonexistent", refused
	case 1:
		c.Kind, c.Cwd, c.Want = "cwd-is-file", "/proc/version", refused
	case 2:
		c.Kind, c.Script, c.Want = "nul", c.Script+"\x00", refused
	case 3:
		// More than one argument may have: execve(2), MAX_ARG_STRLEN. Who hands
		// the script over in another way can run it.
		c.Kind, c.Script, c.Want.MayNotRun = "too-long",
			fmt.Sprintf(": %s; %s", strings.Repeat("x", 128<<10), c.Script), true
	case 4:
		c.Kind, c.Script, c.Want = "not-executable", "/proc/version",
			trial.Want{Code: 126, AnyOutput: true, StartError: true}
	default:
		return load.Seeded(2, r)
	}
	return c
}
