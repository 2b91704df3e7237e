package scenarios

import (
	"math/rand/v2"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
)

// What a command leaves behind adds up over months: a pidfd per ECHILD, a map
// entry per orphan, a zombie, a thread. After the commands have ended the
// daemon has to hold what it held before, give or take the threads that the Go
// runtime keeps and the connections that the harness does.
var _ = should("leaks", "what commands leave behind",
	"is nothing, where a naive daemon keeps something of every command",
	func(s *session.Session) session.Experiment {
		// A start has many files for a moment: the JDK was seen with ten.
		const inFlight, spare, filesEach = 8, 24, 12
		arm := session.Arm{
			Trials: s.Scale.Trials(leaking), InFlight: inFlight, Work: 2,
			Commands: everyEnd(s.Candidate.Dialect, true),
			Watch: check.All(
				check.Settles(check.ComesBack(inFlight+spare, check.Files, check.Threads),
					check.ComesBack(inFlight, check.Zombies, check.Processes)),
				// Go's collector closes lost files now and then, which hides a leak
				// from who only looks at the end.
				check.StaysBelow(filesEach*inFlight+spare, check.Files),
			),
		}
		baseline := naive(arm, "hoarding",
			check.TooMany(check.Files), check.TooMany(check.Threads), check.TooMany(check.Zombies),
			check.TooMany(check.Processes), check.EverTooMany(check.Files))
		baseline.Trials = s.Scale.Trials(hoarded)
		// It has zombies enough to wait for.
		baseline.Commands = everyEnd(s.Candidate.Dialect, false)
		return session.Experiment{Arms: []session.Arm{baseline, candidate(arm)}}
	})

// everyEnd mixes commands that end well, leave orphans, and are not found. Where commands
// can be fed, some leave an input unread that is more than a pipe holds; where they can have
// a timeout, some have one that is far away, and whatever waits for it is to be gone too. Some
// look for zombies, if they are to: what ends with its client's connection is gone afterwards.
func everyEnd(d dialect.Dialect, look bool) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		switch index % 4 {
		case 0:
			return load.Seeded(2, r)
		case 1:
			return load.Forks(index, r)
		}
		c := load.Instant(index, r)
		switch {
		case look && index%32 == 15:
			return finds(c, zombiesStay)
		case index%8 == 2 && d.SaysInput():
			c.Kind, c.Stdin = "given-unread", new(filled(c.Want.Output, 2*overPipe))
		case index%8 == 3 && d.TimesOut():
			c.Kind, c.Timeout = "not-needed", time.Hour
		}
		return c
	}
}

// zombiesStay looks for zombies, and then for the same ones again and again for some seconds: those
// of other commands are there for a moment.
var zombiesStay = look{"zombies-stay", `z() { zs=; for p in /proc/[0-9]*/stat; do read -r l <$p; ` +
	`case $l in *") Z "*) zs="$zs ${l%% *}";; esac; done 2>/dev/null; }; z; found=$zs; i=0; ` +
	`while [ -n "$found" ] && [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); z; still=; ` +
	`for p in $found; do case "$zs " in *" $p "*) still="$still $p";; esac; done; found=$still; done`}
