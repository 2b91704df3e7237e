package scenarios

import (
	"fmt"
	"time"

	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

const echildWait = "DECK_EXECUTE_ECHILD_WAIT_MS"

// The documented fix has one knob: how long to wait for a status after ECHILD.
// A knob in the wrong unit, one whose 0 means the default, or one that takes a
// bad value for a good one turns exit codes into -1 in production only. The
// candidate has to be right where the documented fix is, and to refuse a bad
// value; where the fix ends is late-publish's finding.
var _ = scenario("echild-wait", "the wait after ECHILD",
	"is the limit of the documented fix at each setting, within which the candidate is right too, and refused when it is no whole number of milliseconds",
	func(s *session.Session) session.Experiment {
		trials := s.Scale.Trials(5, 20)
		var arms []session.Arm
		for _, c := range []struct {
			wait, delay time.Duration
			claim       trial.Claim
			hits        int
		}{
			// A handler that does not wait may be gone before the reaper asks whether
			// the child is registered, and then nothing is published at all.
			{0, 400 * time.Millisecond, beyondWait, 1},
			// Between wait and delay there is room for a busy machine.
			{200 * time.Millisecond, 1000 * time.Millisecond, beyondWait, trials},
			{1000 * time.Millisecond, 50 * time.Millisecond, trial.Recovers, trials},
			{3000 * time.Millisecond, 400 * time.Millisecond, trial.Recovers, trials},
		} {
			env := map[string]string{echildWait: fmt.Sprint(c.wait.Milliseconds())}
			suffix := fmt.Sprintf("wait-%v-late-%v", c.wait, c.delay)
			arms = append(arms, session.Arm{
				Name: "documented-" + suffix, Role: trial.Baseline, Strategy: "documented", Claim: c.claim, Env: env,
				Fault: latePublish(s, c.delay), MinHits: int64(c.hits),
				Trials: trials, InFlight: 1, Commands: registered,
			})
			if c.claim != trial.Recovers {
				continue
			}
			arms = append(arms, session.Arm{
				Name: "candidate-" + suffix, Role: trial.Candidate, Claim: trial.Clean, Env: env,
				Fault: latePublish(s, c.delay), MinHits: int64(trials),
				Trials: trials, InFlight: 1, Commands: registered,
			})
		}
		for _, bad := range [][2]string{{"word", "soon"}, {"negative", "-1"}, {"fraction", "0.5"}, {"unit", "200ms"}} {
			arms = append(arms, session.Arm{
				Name: "candidate-refuses-" + bad[0], Role: trial.Candidate, Claim: trial.Clean,
				Env: map[string]string{echildWait: bad[1]}, Refusal: echildWait,
			})
		}
		return session.Experiment{Arms: arms, SideBySide: true}
	})
