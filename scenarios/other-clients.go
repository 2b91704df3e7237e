package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// HTTP lets one request be written in many ways, and a daemon that is tried with one
// client knows that client's. A body may come without its length (a server must
// understand that: RFC 9112, 7.1), text in ASCII alone (RFC 8259, 7), a media type with a
// parameter; and a connection that was not said to close is there for the next request.
// A server may still refuse each of them, and close when it likes (RFC 9112, 9.5), so this
// is advice: it is what a new client will stumble over.
var _ = advice("other-clients", "requests as other clients write them",
	"mean the same, where a naive daemon wants them as it knows them",
	func(s *session.Session) session.Experiment {
		arm := session.Arm{
			// The client reads 128 MiB of all answers together, and one of them has 8 in base64.
			Trials: s.Scale.Trials(each(len(asking), 1, 2, 10)), InFlight: 8,
			Commands: asks(s.Candidate.Dialect.TimesOut()), Wait: 2 * time.Second,
		}
		baseline := naive(arm, "particular", trial.Symptom(trial.Error))
		baseline.Trials, baseline.Commands = len(asking), asks(false)
		return session.Experiment{SideBySide: true, Arms: []session.Arm{baseline, candidate(arm)}}
	})

var asking = []dialect.Way{dialect.Chunked, dialect.Expects, dialect.Charset, dialect.Version0,
	dialect.Escaped, dialect.Spaced, dialect.Slowly, dialect.Ahead, dialect.Piece, dialect.Nonsense,
	dialect.Fetch, dialect.Laden, dialect.Newline, dialect.More, dialect.Again, dialect.Failed,
	dialect.Closing, dialect.Named, dialect.Upgrades}

// pieceLimit is shorter than a request takes that comes in pieces.
const pieceLimit = 2 * time.Second

func asks(limited bool) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		c := load.EveryOther(index/len(asking), r)
		way := asking[index%len(asking)]
		c.Kind, c.Way = "asked-"+string(way), way
		switch way {
		case dialect.Escaped: // one that takes two escapes as well
			word := strings.TrimSpace(c.Want.Output) + "-Gr\u00fc\u00dfe-\U0001f600"
			c.Script = fmt.Sprintf("echo %s; exit %d", word, c.Want.Code)
			c.Want.Output = word + "\n"
		case dialect.Ahead: // long enough for the next request to come meanwhile
			c.Script = "sleep 0.3; " + c.Script
		case dialect.Slowly:
			c.Script, c.Want.Output = muchUnheard(c)
		case dialect.Piece:
			if limited { // which is the command's time, and not that of its request
				c.Timeout = pieceLimit
			}
		}
		return c
	}
}

// muchUnheard is the command, and what it writes, with more before it than is taken unread.
func muchUnheard(c load.Command) (script, output string) {
	return fmt.Sprintf("head -c %d /dev/zero | tr '\\0' x; %s", unheard, c.Script),
		strings.Repeat("x", unheard) + c.Want.Output
}

// unheard is more than the kernel takes of an answer that is not read (tcp(7), tcp_wmem), and
// less than a daemon may keep.
const unheard = 6 << 20
