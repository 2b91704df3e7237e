package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A pending SIGCHLD is not queued twice (signal(7)): one signal may stand for many
// ends, and one that comes while the reaper works must bring it back to work. A
// reaper that reaps, tells, and then empties its letter box loses the ends that came
// while it told: no one asks for those children until something else ends. Here each
// second command ends while the reaper tells of the first, and nothing else does.
var _ = likeness.scenario("told-meanwhile", "a command that ends while the reaper tells of another",
	"is reaped next, and waits for ever where a naive reaper takes back its own wake-up call",
	func(s *session.Session) session.Experiment {
		trials := 2 * s.Scale.Trials(session.Count{Floor: 4, Quick: 4, Standard: 20})
		arm := session.Arm{
			Trials: trials, InFlight: 2, Bursts: true, Commands: onceReaped(s.Seed), Wait: 2 * telling,
			Fault: fault.Point{Place: "before-publish", Sleep: telling}, MinHits: int64(trials),
		}
		if s.BlackBox { // a daemon that is made in another way may close some later
			arm.Fault, arm.MinHits = fault.LateReturn{Call: fault.Close, Delay: telling},
				int64(trials/2)
		}
		baseline := naive(arm, "drowsy", trial.Symptom(trial.Hung))
		baseline.Trials, baseline.Fault, baseline.MinHits, baseline.Deadline = 2, nil, 0,
			3*time.Second
		return session.Experiment{SideBySide: true, Arms: []session.Arm{baseline, candidate(arm)}}
	})

// telling is how long the reaper tells of one end. The naive one takes five times as long,
// of its own accord, since no one counts how often its second command ends meanwhile.
const telling = 150 * time.Millisecond

// onceReaped is, in turn, a command that ends when the next one has begun, and one that
// ends when that has been reaped: its number is free then (kill(2)).
func onceReaped(seed uint64) load.Source {
	const (
		both = ownFile +
			`i=0; nap() { i=$((i+1)); [ $i -lt 500 ] || exit 99; sleep 0.02; }; `
		first  = `echo $$ >"$f-first"; until [ -e "$f-second" ]; do nap; done; `
		second = `: >"$f-second"; until read -r p <"$f-first"; do nap; done 2>/dev/null; ` +
			`while kill -0 "$p" 2>/dev/null; do nap; done; rm -f "$f-first" "$f-second"; `
	)
	return func(index int, r *rand.Rand) load.Command {
		c := load.Instant(index, r)
		pair := strconv.FormatUint(load.Random(seed, "told-meanwhile", index/2).Uint64(), 16)
		kind, waits := "first", first
		if index%2 == 1 {
			kind, waits = "second", second
		}
		c.Kind, c.Script = kind, fmt.Sprintf(both, pair)+waits+c.Script
		return c
	}
}
