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

// A process ID is free once its owner has been reaped (wait(2)), and its command is
// over later: something that it left behind holds its output, its timer has not
// fired, its client has not gone. What is kept under the number meanwhile, such as a
// registration, a timer, a buffer or a cancel function, then meets another owner: a
// clean-up removes the new one's entry, a timer kills it (kill(2) asks for a number
// and not for a start), a table refuses it since its number is known.
//
// Here the next command is given the number while both are in the daemon's books. Another time
// it is given one that differs in what a smaller table drops of it: PIDs have 22 bits (proc(5)).
var _ = scenario("two-owners", "a process ID whose old owner is not answered yet",
	"means the new command alone, and brings the old one's clean-up on it where a naive daemon goes by numbers",
	func(s *session.Session) session.Experiment {
		pairs := s.Scale.Trials(each(len(owners), 1, 2, 10))
		arm := session.Arm{
			Trials: 2 * pairs, InFlight: 2, Bursts: true, Commands: owned(0, s),
			Wait:  s.Stretched(300 * time.Millisecond),
			Fault: fault.Heirs{Within: s.Patience(2 * time.Second)}, MinHits: int64(pairs / 2),
			ByOutput: true, Watch: check.Settles(check.NobodyLeft),
		}
		baseline := naive(arm, "numbering",
			trial.Symptom(trial.Lost).Or(trial.Symptom(trial.Output)))
		baseline.Trials, baseline.MinHits, baseline.Watch = 2*3, 1, nil
		// The heir that lives the longest: how soon it begins is the machine's affair.
		timed := owned(1, s)
		baseline.Commands = func(index int, r *rand.Rand) load.Command { return timed(index%2, r) }
		apart := arm
		apart.Trials, apart.Commands = 2*neighbours, neighbour(s)
		apart.Fault = fault.Heirs{Within: s.Patience(2 * time.Second), Apart: apartBy}
		apart.MinHits = int64(neighbours / 2)
		apart = candidate(apart)
		apart.Name += "-apart"
		return session.Experiment{SideBySide: true,
			Arms: []session.Arm{baseline, candidate(arm), apart}}
	})

// apartBy are distances at which two numbers are one: to who keeps the low bits of them, 16 or
// fewer, and to a table of so many places, or of a tenth or a hundredth.
var apartBy = []int{1 << 16, 10000}

// neighbours is how many pairs there are: at each distance the heir ends first, and then last.
var neighbours = 2 * len(apartBy)

// neighbour is, in turn, a command that runs on, and one that gets a number far above its own.
func neighbour(s *session.Session) load.Source {
	lasts := func(ms time.Duration) string {
		return "sleep " + seconds(s.Stretched(ms*time.Millisecond)) + "; "
	}
	return func(index int, r *rand.Rand) load.Command {
		c := load.Instant(index, r)
		if index%2 == 0 {
			c.Kind = "elder-running"
			c.Script = fmt.Sprintf("%s=$$ %s", fault.ElderVariable, lasts(600)) + c.Script
			return c
		}
		heir := lasts(100) // long enough to be seen
		if index/2/len(apartBy)%2 == 1 {
			heir = lasts(1200)
		}
		nonce := strings.TrimSpace(c.Want.Output)
		c.Kind = "heir-running"
		c.Script = fmt.Sprintf("%secho %s $$; exit %d", heir, nonce, c.Want.Code)
		c.Want.Output, c.Want.PrefixOnly = nonce+" ", true
		return c
	}
}

// owners are what the elder leaves in the books, and how long its heir outlives that.
var owners = []struct {
	kind    string
	timeout time.Duration // of the elder
	goes    time.Duration // the elder's client, after so long
	heir    time.Duration
	hangUp  time.Duration // of the heir
}{
	{kind: "registered", heir: 600 * time.Millisecond},
	{kind: "timed", timeout: time.Second, heir: 1300 * time.Millisecond},
	{kind: "abandoned", goes: 150 * time.Millisecond, heir: 600 * time.Millisecond},
	{kind: "heir-abandoned", heir: time.Hour, hangUp: 700 * time.Millisecond},
}

// owned is, in turn, a command that has ended while its output is held, and one that
// gets its number. It begins with the given pair. All times are for a fast machine, and
// so many times as long on a slow one, where the heir is later too.
func owned(first int, s *session.Session) load.Source {
	scaled := s.Stretched
	// Where a timeout is in whole seconds, the heir outlives that all the same.
	said := func(d time.Duration) time.Duration { return s.Candidate.Dialect.Timeout(scaled(d)) }
	return func(index int, r *rand.Rand) load.Command {
		c := load.Instant(index, r)
		o := owners[(first+index/2)%len(owners)]
		nonce := strings.TrimSpace(c.Want.Output)
		if index%2 == 0 {
			c.Kind = "elder-" + o.kind
			// In a session of its own: a number that a group has is not given out again.
			c.Script = fmt.Sprintf("%s=$$ setsid sleep %s & %s",
				fault.ElderVariable, seconds(scaled(time.Second)), c.Script)
			c.Timeout, c.Want.MayTimeout = said(o.timeout), o.timeout > 0
			// Which of the two is first is the daemon's affair.
			c.HangUpAfter, c.Want.Anything = scaled(o.goes), o.goes > 0
			return c
		}
		c.Kind = "heir-" + o.kind
		c.Script = fmt.Sprintf("sleep %s; echo %s $$; exit %d",
			seconds(scaled(o.heir)+said(o.timeout)-scaled(o.timeout)), nonce, c.Want.Code)
		c.Want.Output, c.Want.PrefixOnly = nonce+" ", true
		if o.hangUp > 0 {
			c.HangUpAfter, c.Want = scaled(o.hangUp), trial.Want{HangUp: true}
		}
		return c
	}
}
