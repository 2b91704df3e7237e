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

// A start takes some files: two pipes, a pidfd, and one to hear of a failed exec.
// Each of them can be the one too many (EMFILE, open(2)), after others have been
// opened and perhaps after the fork; and a listener that gets no file for its next
// client must try again later (accept(2)). It is over in a moment and says nothing
// of the command, so the answer is "try again", and nothing is left behind.
var _ = should("out-of-files", "a target that may open no more files",
	"refuses commands in words and recovers, where a naive daemon says -1",
	func(s *session.Session) session.Experiment {
		const burst = 8
		limit := fault.FileLimit{Burst: burst, Lasts: s.Stretched(3 * time.Second)}
		bursts := s.Scale.Trials(session.Count{Floor: 2 * 8, Quick: 2 * 8, Standard: 2 * 40}) + andTheLast
		arm := session.Arm{
			Trials: bursts * burst, InFlight: burst, Bursts: true, Commands: withoutFiles(limit),
			Fault: limit, MinHits: int64(bursts / 2), ByOutput: true,
			Watch: check.Settles(check.NobodyLeft,
				check.ComesBack(burst+spareThreads, check.Files)),
		}
		baseline := naive(arm, "", trial.Symptom(trial.Lost))
		return session.Experiment{SideBySide: true, Arms: []session.Arm{baseline, candidate(arm)}}
	})

// withoutFiles may be refused under the limit and must be right otherwise. Most stay
// for a while, with the files of their output.
func withoutFiles(limit fault.FileLimit) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		c := load.Instant(index, r)
		if index%3 == 0 { // which may take a file to look at
			c.Cwd = "/"
		}
		if !limit.Under(index) {
			return c
		}
		c.Want.MayRefuse = true
		if index%4 != 0 {
			c.Kind, c.Want.Code = "stays", 0
			c.Script = fmt.Sprintf("echo %s; exec sleep 0.1", strings.TrimSpace(c.Want.Output))
		}
		return c
	}
}
