package scenarios

import (
	"math/rand/v2"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A client that has sent its request may close its sending side and read on
// (shutdown(2), RFC 9112, 9.6), as BusyBox's wget and many proxies do. To a server
// that is an end of file, as is a client that has gone; net/http takes the first for
// the second and cancels the request's context. The other way round it looks no
// further than one byte behind the request (connReader.backgroundRead), and a client
// that has sent its next request may then go away unnoticed. A server may take a
// client that sends no more for one that has gone (RFC 9112, 9.6, leaves it to it): a
// daemon that is not ours is judged by this where the scenario is named.
var _ = advice("half-closed", "a client that has nothing more to say",
	"gets its answer, one that goes is missed, and a naive daemon takes the one for the other",
	func(s *session.Session) session.Experiment {
		arm := session.Arm{
			Trials: s.Scale.Trials(session.Count{Floor: 12, Quick: 12, Standard: 90}), InFlight: 6,
			Commands: nothingMore,
			Watch:    check.Settles(check.NobodyLeft),
		}
		baseline := naive(arm, "attentive", trial.Symptom(trial.Error),
			check.TooMany(check.Processes))
		return session.Experiment{SideBySide: true, Arms: []session.Arm{baseline, candidate(arm)}}
	})

// halfCloses are the ways of a client that closes its sending side: at first, behind an answer
// and behind an error on the same connection, and while its own answer is on the way.
var halfCloses = []dialect.Way{"", dialect.Again, dialect.Failed, dialect.Slowly}

func nothingMore(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	c.Kind, c.Script = "half-closed", "sleep 0.3; "+c.Script
	switch index % 3 {
	case 0:
		c.HalfClose, c.Way = true, halfCloses[index/3%len(halfCloses)]
		if c.Way == dialect.Slowly { // its answer is stuck when it says so
			c.Script, c.Want.Output = muchUnheard(c)
		}
	case 1:
		c.Kind, c.Script, c.Behind = "gone-with-more-behind", "sleep 1000; :", "G"
		c.HangUpAfter, c.Want = 100*time.Millisecond, trial.Want{HangUp: true}
	default:
		c.Kind = "waits"
	}
	return c
}
