package scenarios

import (
	"fmt"
	"math/rand/v2"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
)

// Orphans are why PID 1 must reap at all: a process whose parent has ended
// becomes a child of PID 1 (wait(2)), and stays a zombie until someone waits
// for it. They arrive between the commands' own children and under recycled
// PIDs, so a registry that confuses the two shows it here. Some end when no command
// runs: a daemon that reaps at the end of a request does not see them.
var _ = should("orphan-storm", "a storm of orphans",
	"leaves no zombie and takes no command's exit code, and leaves zombies where no one reaps",
	func(s *session.Session) session.Experiment {
		arm := session.Arm{
			Trials: s.Scale.Trials(orphaned), InFlight: 16, Commands: orphansAndLooks, Work: 7,
			Watch:     check.Settles(check.NobodyLeft, check.ComesBack(forgotten, check.Memory)),
			SeenTwice: check.Only(check.Memory), // as in grows
		}
		baseline := naive(arm, "hoarding", check.TooMany(check.Zombies),
			check.TooMany(check.Processes), check.TooMany(check.Memory))
		baseline.Commands = orphans // each look would wait to its limit
		return session.Experiment{Arms: []session.Arm{baseline, candidate(arm)}}
	})

// forgotten is what a daemon may grow by meanwhile, far less than 64 KiB for
// each of the 500 orphans of a quick run.
const forgotten = 24 << 20

// unreaped finds an orphan of the command's own that is not reaped while the command runs.
var unreaped = unreapedAfter(":")

// unreapedAfter is so for one that does something first. A zombie can be signalled (kill(2)).
// Ten seconds are for a reaper that looks once in a while, and a sleep that somebody ends is
// none of them.
func unreapedAfter(first string) string {
	return "p=$( (" + first + "; exit 3) >/dev/null 2>&1 & echo $!); " + first + "; i=0; " +
		"while kill -0 $p; do " +
		`i=$((i+1)); [ $i -lt 200 ] || { found="process $p"; break; }; sleep 0.05 || i=$((i-1)); ` +
		`done 2>/dev/null`
}

// orphans leaves five orphans behind, each with a code of its own.
func orphans(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	c.Kind = "orphans"
	c.Script = fmt.Sprintf("for i in 1 2 3 4 5; do (exit $((i+%d)) & ) >/dev/null 2>&1; done; %s",
		index%200, c.Script)
	if index%4 == 0 { // one that ends later, the last of them when nothing else happens
		c.Kind, c.Script = "orphan-for-a-while", "(sleep 0.5 &) >/dev/null 2>&1; "+c.Script
	}
	return c
}

func orphansAndLooks(index int, r *rand.Rand) load.Command {
	if index%16 == 2 {
		return finds(load.Instant(index, r), look{"orphan-meanwhile", unreaped})
	}
	return orphans(index, r)
}
