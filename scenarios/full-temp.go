package scenarios

import (
	"math/rand/v2"
	"strings"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A daemon that puts a command's script, its input or its large output into a file meets a
// full disk one day. The file can be made, and what is written to it is not there (ENOSPC,
// write(2), and as late as close(2)). Who does not look runs an empty script, which exits
// with 0, or answers with half of the output. It says nothing of the command, so the answer
// is "try again", and everything is as before once there is room.
var _ = should("full-temp", "a sandbox that has no room for temporary files",
	"refuses commands in words or needs none, where a naive daemon runs half of a script",
	func(s *session.Session) session.Experiment {
		const burst = 8
		full := fault.FullTemp{Burst: burst}
		bursts := s.Scale.Trials(session.Count{Floor: 2 * 6, Quick: 2 * 6, Standard: 2 * 30}) + andTheLast
		arm := session.Arm{
			Trials: bursts * burst, InFlight: burst, Bursts: true,
			Commands: withoutRoom(full, s.Candidate.Dialect, s.Feeds()),
			Fault:    full, MinHits: int64(bursts / 2), ByOutput: true,
			Watch: check.All(check.Settles(check.NobodyLeft,
				check.ComesBack(burst+spareThreads, check.Files)), check.TemporaryFiles(burst)),
		}
		baseline := naive(arm, "spooling", trial.Symptom(trial.Wrong).Or(trial.Symptom(trial.Output)))
		return session.Experiment{SideBySide: true, Arms: []session.Arm{baseline, candidate(arm)}}
	})

// andTheLast is one more burst than every second one: the first and the last of all meet the
// fault, so a target's first commands do, and how it is afterwards shows.
const andTheLast = 1

// withoutRoom may be refused without room and must be right otherwise: a short script, one
// that needs more pages than are left, and one whose output does, or whose input, be that read
// or not.
func withoutRoom(full fault.FullTemp, d dialect.Dialect, feeds bool) load.Source {
	kinds := []load.Source{load.Instant, load.Bulk, longScript}
	if feeds {
		kinds = append(kinds, fed)
		if d.TimesOut() {
			kinds = append(kinds, fedInVain)
		}
	}
	return func(index int, r *rand.Rand) load.Command {
		c := kinds[index%len(kinds)](index, r)
		if full.Under(index) {
			c.Kind, c.Want.MayRefuse = "without-room-"+c.Kind, true
		}
		return c
	}
}

func fed(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	text := filled(c.Want.Output, overPipe)
	c.Kind, c.Stdin = "given", &text
	c.Script, c.Want.Output = "cat; "+c.Script, text+c.Want.Output
	return c
}

func fedInVain(index int, r *rand.Rand) load.Command {
	c := fed(index, r)
	c.Kind, c.Script, c.Timeout = "times-out", "sleep 1000; :", inputLimit
	c.Want = trial.Want{Timeout: true}
	return c
}

// longScript has its command at its end.
func longScript(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	c.Kind, c.Script = "long-script", ": "+strings.Repeat("x", 16<<10)+"\n"+c.Script
	return c
}
