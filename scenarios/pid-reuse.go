package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A number is free again once its owner has been reaped (wait(2)), and the
// kernel hands them out in a circle: a sandbox whose numbers end at 32768 comes
// round in minutes. A status that is kept under a number then belongs to
// someone else. The documented fix leaves one behind when the reaper publishes
// after the handler has given up, and gives it to the next owner for its own:
// worse than -1, since nothing looks amiss.
var _ = scenario("pid-reuse", "a process ID that is given out again",
	"means a new command to the candidate, and brings an old command's exit code under the documented fix",
	func(s *session.Session) session.Experiment {
		// Longer than the documented wait of 200 ms.
		long, short := 300*time.Millisecond, 2*time.Millisecond
		if s.BlackBox {
			long *= 3 // the next command must come before that, also on a busy machine
		}
		// A thread that a busy target starts may take a number first, and some start one for
		// each client: a quarter of the few is what is asked. The first number is no one's.
		few, many := s.Scale.Trials(heirs), s.Scale.Trials(anyHeirs)
		arms := []session.Arm{
			{
				Name: "documented", Role: trial.Baseline, Strategy: "documented",
				Claim: trial.Misleads,
				Fault: fault.All{publishedToHeir(s, long), fault.NextPID{}}, MinHits: 1,
				Trials: s.Scale.Trials(heirsMost), UntilShown: true, InFlight: 1,
				Commands: lastingHeir, Fresh: true,
			}, {
				Name: "candidate-late", Role: trial.Candidate, Claim: trial.Clean,
				Fault: fault.All{latePublish(s, long), fault.NextPID{}}, MinHits: int64(max(1, few/4)),
				Trials: few, InFlight: 1, Commands: heir, Wait: long, Fresh: true,
			}, {
				Name: "candidate", Role: trial.Candidate, Claim: trial.Clean,
				Fault: fault.All{latePublish(s, short), fault.NextPID{}}, MinHits: nearly(many - 1),
				Trials: many, InFlight: 1, Commands: heirOfAny, Fresh: true,
			}, {
				Name: "candidate-after-failed-start", Role: trial.Candidate, Claim: trial.Clean,
				Fault:   fault.All{publishLate(s, short), fault.NextPID{}},
				MinHits: nearly(many/4 - 1),
				Trials:  many / 2, InFlight: 1, Commands: heirOfPhantom, Fresh: true,
			},
		}
		if s.Candidate.Dialect.TimesOut() {
			arms = append(arms, session.Arm{
				Name: "candidate-after-timeouts", Role: trial.Candidate, Claim: trial.Clean,
				Fault: fault.NextPID{}, MinHits: 1,
				Trials: few, InFlight: 1, Commands: heirOfKilled, Fresh: true,
				Watch: check.Settles(check.NobodyLeft),
			})
		}
		return session.Experiment{SideBySide: true, Arms: arms}
	})

// heir leaves its number to the next command.
func heir(index int, r *rand.Rand) load.Command { return bequeath("heir", "$$", "", index, r) }

// lastingHeir is heir for the documented fix, which has registered it when it ends.
func lastingHeir(index int, r *rand.Rand) load.Command {
	return bequeath("heir", "$$", "sleep "+seconds(registeredFor)+"; ", index, r)
}

// heirOfAny leaves, in turn, its own number and that of an orphan, which ends
// with another code.
func heirOfAny(index int, r *rand.Rand) load.Command {
	if index%2 == 0 {
		return heir(index, r)
	}
	return bequeath("heir-of-orphan", "$!",
		fmt.Sprintf("(exit %d) >/dev/null 2>&1 & ", r.IntN(256)), index, r)
}

// bequeath prints a nonce, the command's own number, and the one to be given to
// the next, as fault.NextPID wants it.
func bequeath(kind, number, before string, index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	nonce := strings.TrimSpace(c.Want.Output)
	// Whether a connection goes on is the target's choice, and one with a thread for each
	// connection starts that thread first: asked so, it does each time.
	c.Kind, c.Alone = kind, true
	c.Script = fmt.Sprintf("%secho %s $$ %s; exit %d", before, nonce, number, c.Want.Code)
	c.Want.Output, c.Want.PrefixOnly = nonce+" ", true
	return c
}

// heirOfPhantom is, in turn, a start that fails after the fork, whose child is
// gone before it was a command, and a command that gets its number. The script
// is longer than one argument may be (execve(2), MAX_ARG_STRLEN).
func heirOfPhantom(index int, r *rand.Rand) load.Command {
	c := heir(index, r)
	if index%2 == 0 {
		c.Kind, c.Want.MayNotRun = "phantom", true
		c.Script = fmt.Sprintf(": %s; %s", strings.Repeat("x", 128<<10), c.Script)
	}
	return c
}

// heirOfKilled is, in turn, a command that leaves its number to the next ones, and three that
// outlive their timeout one after the other: each gets a number whose owner was killed.
func heirOfKilled(index int, r *rand.Rand) load.Command {
	c := heir(index, r)
	if index%4 != 0 {
		c.Kind, c.Script, c.Timeout = "overtime-heir", "sleep 1000; :", overtimeLimit/5
		c.Want = trial.Want{Timeout: true}
	}
	return c
}

// publishedToHeir lets the reaper win and stops it with the status in hand until the
// number has its next owner: the first handler of the documented fix has given up by
// then. From outside a delay stands for that order, so the next command may be too
// late for it.
func publishedToHeir(s *session.Session, delay time.Duration) fault.Fault {
	if s.BlackBox {
		return latePublish(s, delay)
	}
	return fault.All{reaperFirst(s),
		fault.Point{Place: "before-publish", UntilArrival: "before-wait"}}
}

// publishLate is latePublish for failed starts too. Whoever starts a command
// waits for the child of a start that fails: held from outside, it would wait
// for someone else to take a child that is no one else's.
func publishLate(s *session.Session, delay time.Duration) fault.Fault {
	if s.BlackBox {
		return fault.LateReturn{Call: fault.Wait4, Delay: delay}
	}
	return latePublish(s, delay)
}
