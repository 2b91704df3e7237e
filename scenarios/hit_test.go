package scenarios

import (
	"testing"

	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A baseline that fails without its fault proves nothing. So each scenario with a
// fault is run at its floor, from inside and from outside, and every arm of it must
// have been hit.
func TestEveryBaselineWithAFaultIsHit(t *testing.T) {
	runtime, builds := newRuntime(t), daemons(t)
	for name, access := range map[string]Access{"inside": Inside, "black box": Outside} {
		t.Run(name, func(t *testing.T) {
			s := &session.Session{
				Runtime: runtime, Folder: t.TempDir(), Seed: 1, Scale: slowest(session.Quick),
				Hub:      newHub(t),
				BlackBox: access == Outside, Daemons: builds,
				Candidate: target.Reference("registry"), Progress: &session.Progress{},
			}
			var chosen []trial.Scenario
			all, err := Select(nil, access)
			if err != nil {
				t.Fatal(err)
			}
			for _, known := range all {
				if injects(s, known.ID) {
					chosen = append(chosen, known)
				}
			}
			s.RunAll(t.Context(), experiments(s, chosen),
				func(e session.Experiment, f session.Finding, err error) {
					if err != nil || f.Verdict != trial.Pass {
						t.Errorf("%s: %v (%s), %v", e.Scenario, f.Verdict, f.Reason, err)
					}
					for _, arm := range f.Arms {
						if arm.Plan.Fault != "" && arm.Plan.Role == trial.Baseline &&
							arm.End.FaultHits == 0 {
							t.Errorf("%s/%s: the fault %q never hit", e.Scenario, arm.Plan.Arm,
								arm.Plan.Fault)
						}
						if arm.Plan.UntilShown && arm.End.ShownBy == nil {
							t.Errorf("%s/%s: no trial that was hit showed the claim", e.Scenario,
								arm.Plan.Arm)
						}
					}
				})
			if len(chosen) < 8 {
				t.Errorf("%d scenarios inject something", len(chosen))
			}
		})
	}
}

func injects(s *session.Session, id string) bool {
	for _, arm := range plans[id](s).Arms {
		if arm.Fault != nil {
			return true
		}
	}
	return false
}
