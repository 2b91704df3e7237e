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

// No one reads the answer of a request whose client has gone. A command that
// runs on costs memory and PIDs in a sandbox that is paid by the second, and is
// forgotten by everybody but the kernel. A client can be gone before its command is
// there: who then looks for a command to end finds none, and starts it afterwards.
var _ = should("hang-up", "a client that hangs up",
	"takes its command with it, where a naive daemon lets it run on",
	func(s *session.Session) session.Experiment {
		arm := session.Arm{
			Trials: s.Scale.Trials(gone), InFlight: 8, Commands: abandoned(s.Candidate.Dialect, s.Feeds()),
			Watch: check.Settles(check.NobodyLeft), Used: true,
		}
		return session.Experiment{SideBySide: true,
			Arms: []session.Arm{naive(arm, "", check.TooMany(check.Processes)), candidate(arm)}}
	})

// bystander is how long the one that stays does: twice the latest hang-up of the others.
const bystander = 200 * time.Millisecond

// late is when a daemon may have stopped looking.
const late = 6 * time.Second

// abandoned runs for longer than a run of this scenario takes. One in eight is
// an ordinary command: a target that starts nothing has nothing to end. It lasts while
// other clients of the same address go away, and has its own code all the same. A client
// may go whatever it has asked for, such as a timeout that is still to come, and however it
// has asked: what a server still has to read hides the end of the connection from it.
func abandoned(d dialect.Dialect, feeds bool) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		if index%8 == 7 {
			c := load.Instant(index, r)
			c.Kind, c.Script = "stays", "sleep "+seconds(bystander)+"; "+c.Script
			return c
		}
		c := load.Command{
			Kind:    "abandoned",
			Request: dialect.Request{Script: "sleep 1000; :", HangUpAfter: 100 * time.Millisecond},
			Want:    trial.Want{HangUp: true},
		}
		switch {
		case index == 8: // when the command has run for a while
			c.Kind, c.HangUpAfter = "abandoned-late", late
		case index%8 != 0: // while the command is being started, or not even that
			c.Kind, c.HangUpAfter = "abandoned-at-once",
				time.Duration(1+r.Int64N(int64(3*time.Millisecond)))
		case index/8%6 == 1 && d.TimesOut():
			c.Kind, c.Timeout = "abandoned-timed", time.Minute
		case index/8%6 == 2:
			c.Kind, c.Reset = "abandoned-reset", true
		case index/8%6 == 3 && d.Simple():
			c.Kind, c.Way = "abandoned-chunked", dialect.Chunked
		case index/8%6 == 4 && feeds:
			c.Kind, c.Stdin = "abandoned-unread", &longInput
		case index/8%6 == 5 && d.Simple():
			c.Kind, c.Way = "abandoned-closing", dialect.Closing
		}
		return c
	}
}
