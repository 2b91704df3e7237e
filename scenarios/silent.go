package scenarios

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A build says nothing for a minute. Between the daemon and its client stand limits
// that were made for pages of text: http.Server's WriteTimeout counts from the
// request, a proxy's from the last byte, and many a client's default is ten, thirty
// or sixty seconds. What is cut then still runs, or is said to have ended.
//
// What is old has ways out as well: it is timed out or left, when whoever tidied up may have
// taken it for forgotten.
//
// Limits are met by waiting for them: quick goes beyond ten seconds, standard beyond
// sixty, beside everything else.
var _ = answers.scenario("silent", "a command that is long and silent",
	"is waited for, and cut off where a naive daemon gives up a connection that says nothing",
	func(s *session.Session) session.Experiment {
		long := 65 * time.Second
		if s.Scale.Tier == session.Quick {
			long = 11 * time.Second
		}
		d := s.Candidate.Dialect
		arm := session.Arm{
			Trials: 6, InFlight: 4, Wait: long, Deadline: long + time.Minute,
			Commands: silence(long, d.SaysTimeout(), s.Feeds()),
		}
		baseline := naive(arm, "impatient", trial.Symptom(trial.Error))
		baseline.Commands, baseline.Wait = silence(4*time.Second, false, false), 4*time.Second
		arms := []session.Arm{baseline, candidate(arm)}
		if ways := oldWays(long, d); len(ways) > 0 {
			old := candidate(session.Arm{
				Trials: len(ways), InFlight: len(ways), Wait: long, Deadline: long + time.Minute,
				Commands: func(index int, _ *rand.Rand) load.Command { return ways[index] },
				Watch:    check.Settles(check.NobodyLeft),
			})
			old.Name += "-old"
			arms = append(arms, old)
		}
		alone := candidate(session.Arm{
			Trials: 1, InFlight: 1, Wait: lateOrphan, Deadline: lateOrphan + time.Minute,
			Commands: leavesLateOrphan,
		})
		alone.Name += "-orphan"
		arms = append(arms, alone)
		return session.Experiment{SideBySide: true, Arms: arms}
	})

// lateOrphan is how old an orphan is when it ends. By then a reaper that is at work while
// commands come and go has nothing to do.
const lateOrphan = 8 * time.Second

func leavesLateOrphan(index int, r *rand.Rand) load.Command {
	return finds(load.Instant(index, r),
		look{"orphan-meanwhile-late", unreapedAfter("sleep " + seconds(lateOrphan))})
}

// oldWays are the ways in which a command is ended when it is old.
func oldWays(age time.Duration, d dialect.Dialect) (ways []load.Command) {
	c := load.Command{Kind: "overtime-old", Want: trial.Want{Timeout: true}}
	c.Script, c.Timeout = "sleep 1000; :", age
	if d.TimesOut() {
		ways = append(ways, c)
	}
	c.Kind, c.Want, c.Timeout, c.HangUpAfter = "abandoned-old", trial.Want{HangUp: true}, 0, age
	if d.HangsUp() {
		ways = append(ways, c)
	}
	return ways
}

// silence says nothing at all until the end, or something at once and at the end, or reads
// what it was given when the time is over, or has closed what it could say something to. What comes after it is ordinary, and no one has
// asked for anything meanwhile.
func silence(d time.Duration, limited, feeds bool) load.Source {
	atLast := fedBy([]feed{{"given-and-late", func(n string) (string, string, string) {
		return later("sleep "+seconds(d), n)
	}}})
	return func(index int, r *rand.Rand) load.Command {
		if index == 2 && feeds {
			return atLast(index, r)
		}
		c := load.Instant(index, r)
		if index > 3 {
			c.Kind = "afterwards"
			return c
		}
		c.Kind, c.Script = "silent", fmt.Sprintf("sleep %s; %s", seconds(d), c.Script)
		switch index {
		case 3: // no one else has its output, so a reader sees the end of it (pipe(7))
			c.Kind, c.Want.Output = "silent-closed", ""
			c.Script = fmt.Sprintf("exec <&- >&- 2>&-; sleep %s; exit %d", seconds(d), c.Want.Code)
		case 1:
			c.Kind, c.Script, c.Want.Output = "begun", "echo begun; "+c.Script,
				"begun\n"+c.Want.Output
			if limited { // a limit of the daemon's own may be lower than the one asked for
				c.Timeout = max(time.Minute, 2*d)
			}
		}
		return c
	}
}
