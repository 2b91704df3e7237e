package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
)

// A blocking wait parks an OS thread for as long as its child runs. A Go
// process dies at 10,000 threads (runtime/debug.SetMaxThreads), and a
// container's pids limit counts threads too: commands that only sleep can then
// bring a daemon down.
var _ = scenario("many-in-flight", "many commands in flight",
	"take no thread each, where a daemon with a wait per child has as many threads as commands",
	func(s *session.Session) session.Experiment {
		const inFlight, spare = 150, 40
		arm := session.Arm{
			Trials: s.Scale.Trials(inFlight, 3*inFlight), InFlight: inFlight, Bursts: true, Commands: fiveSeconds,
			Deadline: time.Minute,
			Watch:    staysBelow(spare, threads),
		}
		return session.Experiment{SideBySide: true, Arms: []session.Arm{misbehaving(arm, "wait-per-child", "none", everTooMany(threads)), candidate(arm)}}
	})

// fiveSeconds is longer than it takes to start all that are in flight. It costs
// one process each, which is why its code is that of sleep(1).
func fiveSeconds(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	c.Kind, c.Want.Code = "five-seconds", 0
	c.Script = fmt.Sprintf("echo %s; exec sleep 5", strings.TrimSpace(c.Want.Output))
	return c
}
