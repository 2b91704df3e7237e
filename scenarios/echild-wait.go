package scenarios

import (
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

const echildWait = "DECK_EXECUTE_ECHILD_WAIT_MS"

// The documented fix has one knob: how long to wait for a status after ECHILD.
// A knob in the wrong unit, one whose 0 means the default, or one that takes a
// bad value for a good one turns exit codes into -1 in production only. The
// candidate has to be right where the documented fix is, and to refuse a bad
// value; where the fix ends is late-publish's finding.
var _ = ourSettings.scenario("echild-wait", "the wait after ECHILD",
	"limits the documented fix at each setting, within which the candidate is right too, and is "+
		"refused unless it is a whole number of milliseconds",
	func(s *session.Session) session.Experiment {
		trials := s.Scale.Trials(slowly)
		set := func(name, wait string, f fault.Fault, hits int) session.Arm {
			return session.Arm{
				Name: name + "-wait-" + wait + "ms", Env: map[string]string{echildWait: wait},
				Fault: f, MinHits: int64(hits),
				Trials: trials, InFlight: 1, Commands: registered,
				Wait: registeredFor + 2*documentedWait,
			}
		}
		// Three times the default wait: a minute in another unit is over before that,
		// and a wait that is 0 has no part of it.
		late := latePublish(s, 3*documentedWait)
		arms := []session.Arm{
			// A handler that does not wait may be gone before the reaper asks whether
			// the child is registered, and then nothing is published at all.
			documented(set("documented", "0", late, 1), trial.Loses),
			documented(set("documented", "200", publishedTooLate(s), trials-1), beyondWait(s)),
			documented(set("documented", "60000", late, trials), trial.Recovers),
		}
		within := set("candidate", "60000", late, trials)
		within.Role, within.Claim = trial.Candidate, trial.Clean
		arms = append(arms, within)
		for _, bad := range [][2]string{{"word", "soon"}, {"negative", "-1"}, {"fraction", "0.5"},
			{"unit", "200ms"}} {
			arms = append(arms, session.Arm{
				Name: "candidate-refuses-" + bad[0], Role: trial.Candidate, Claim: trial.Clean,
				Env: map[string]string{echildWait: bad[1]}, Refusal: echildWait,
			})
		}
		return session.Experiment{Arms: arms, SideBySide: true}
	})
