package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/dialect"
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
		baseline := naive(session.Arm{Trials: every / 4, InFlight: 4, Wait: 500 * time.Millisecond,
			Commands: longAndShort, Deadline: time.Second}, "serial", trial.Symptom(trial.Hung))
		sound := candidate(session.Arm{Trials: every * s.Scale.Trials(longRounds), InFlight: 4,
			Commands: longAndShort, Wait: 500 * time.Millisecond, Deadline: waitsLimit})
		outlasting := candidate(session.Arm{Trials: outlasted + 2, InFlight: 5,
			Commands: outlasts(s),
			Watch:    check.Settles(check.NobodyLeft),
			Deadline: time.Minute}) // one of them lasts as long as all others together
		outlasting.Name += "-outlasting"
		all := []session.Arm{baseline, sound, outlasting}
		if s.Candidate.Dialect.TimesOut() {
			limited := candidate(session.Arm{Trials: 5, InFlight: 2, Commands: besideLimited,
				Deadline: waitsLimit})
			limited.Name += "-limited"
			all = append(all, limited)
		}
		return session.Experiment{SideBySide: true, Arms: all}
	})

// besideLimited is one that lasts, with a timeout that is far away, and then some that outlive
// theirs: whoever waits for the end of the oldest timer first is late with all behind it. The
// last one ends the first.
func besideLimited(index int, r *rand.Rand) load.Command {
	switch index {
	case 0:
		c := released(index, r)
		c.Kind, c.Timeout = "long-limited", time.Hour
		return c
	case 1, 2, 3:
		return load.Command{
			Kind:    "overtime-beside",
			Request: dialect.Request{Script: "exec sleep 1000", Timeout: overtimeLimit},
			Want:    trial.Want{Timeout: true},
		}
	}
	c := releases(load.Instant(index, r))
	c.Script = awaitSleeps(load.Endless, 1, soonThere) + c.Script
	return c
}

// outlasted is how many commands come and go while one runs: more than a table holds whose
// size somebody has guessed, and than a counter of so many bits.
const outlasted = 1100

// outlasts is a command that others outlast, one whose client goes when they have, and them.
func outlasts(s *session.Session) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		switch {
		case index == 0:
			return released(index, r)
		case index == 1 && s.Candidate.Dialect.HangsUp():
			c := load.Command{Kind: "abandoned-late", Want: trial.Want{HangUp: true}}
			c.Script, c.HangUpAfter = "sleep 1000; :", s.Stretched(2*time.Second)
			return c
		case index >= outlasted: // both, should the long one start late
			return releases(load.Instant(index, r))
		}
		return load.Instant(index, r)
	}
}

// released lasts until another command, which releases makes, ends it.
func released(index int, r *rand.Rand) load.Command {
	c := load.UntilTerminated(index, r)
	c.Kind = "long"
	return c
}

func releases(c load.Command) load.Command {
	c.Kind, c.Script = "release", endSleeps(load.Endless)+c.Script
	return c
}

// every is how many commands there are to a long one.
const every = 20

// longAndShort is, of every twenty, one that lasts until a later one ends it:
// where the others wait for it, no one is answered. So there is no race with a
// clock that a busy machine could lose.
func longAndShort(index int, r *rand.Rand) load.Command {
	const releasing = 10
	turn := index % every
	if turn == 0 {
		c := released(index, r)
		c.Cwd = "/" // one folder is as good for many
		return c
	}
	c := load.Instant(index, r)
	if turn%2 == 0 {
		c.Cwd = "/"
	}
	// All they outlast the second after which a reaper may ask for each child.
	c.Kind, c.Script = "short", "sleep 0.5; "+c.Script
	if turn >= releasing { // all of them, should the long one start late
		c = releases(c)
	}
	return c
}

// endSleeps ends the sleeps of just that length, and leaves in $n how many there
// were.
func endSleeps(d time.Duration) string { return eachSleep(d, "kill ${p#/proc/} && n=$((n+1))") }

// soonThere are the looks for what has nothing to read before it begins.
const soonThere = 30

// awaitSleeps waits until there are that many. A child that a shell has just started is
// that shell until it has executed its sleep, on a busy machine for a while. It looks again
// and again, each time for as long as it takes to start another sleep, and gives up after so
// many looks of a tenth of a second or more.
func awaitSleeps(d time.Duration, wanted, looks int) string {
	return fmt.Sprintf("n=0; i=0; until [ $n -ge %d ] || [ $i -ge %d ]; do "+
		"[ $i = 0 ] || sleep 0.1; i=$((i+1)); %sdone; ",
		wanted, looks, eachSleep(d, "n=$((n+1))"))
}

// eachSleep does something for each, $p, with $n at zero before the first. It finds them
// by what they were called with, which a shell that speaks of sleep does not begin with.
func eachSleep(d time.Duration, do string) string {
	const script = "n=0; for p in /proc/[0-9]*; do l=; read -r l <$p/cmdline; " +
		"case $l in sleep*%s) %s;; esac; done 2>/dev/null; "
	return fmt.Sprintf(script, seconds(d), do)
}

// seconds is how a sleep of that length is written.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }
