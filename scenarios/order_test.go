package scenarios

import (
	"fmt"
	"testing"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// The order is all there is to the defect: the daemon that loses every code
// when the reaper comes first loses none when the waiter does. This is no
// scenario, since it is not quite certain: a handler that is kept off the CPU
// between its start and its wait for longer than the supervisor takes a zombie
// for an orphan's (a second) comes second all the same.
func TestWhoComesFirstIsAllThatMatters(t *testing.T) {
	const trials = 1000
	runtime, builds := newRuntime(t), daemons(t)
	for _, path := range []session.WaitPath{session.Pidfd, session.Fallback} {
		for _, inFlight := range []int{1, 16} {
			t.Run(fmt.Sprint(path, "-", inFlight), func(t *testing.T) {
				s := &session.Session{
					Runtime: runtime, Folder: t.TempDir(), Seed: 1, Daemons: builds,
					Candidate: target.Reference("registry"),
					Hub:       newHub(t), BlackBox: true, WaitPath: path,
					Progress: &session.Progress{},
				}
				arm := func(rule seccomp.Rule, claim trial.Claim) session.Arm {
					return session.Arm{
						Name: rule.String(), Role: trial.Baseline, Strategy: "reaper-only",
						Claim:  claim,
						Fault:  fault.Hold{Hub: s.Hub, Policy: seccomp.Policy{Rule: rule}},
						Trials: trials, InFlight: inFlight, Commands: load.Instant,
					}
				}
				finding, err := s.Run(t.Context(),
					session.Experiment{Scenario: "who-comes-first", Arms: []session.Arm{
						arm(seccomp.ReaperWins, trial.LosesAll),
						arm(seccomp.WaiterWins, trial.Clean),
					}})
				if err != nil {
					t.Fatal(err)
				}
				second, first := finding.Arm("reaper-wins"), finding.Arm("waiter-wins")
				t.Logf("the waiter first: %v, %d takes were held for it", first.Counts,
					first.End.FaultHits)
				if second.Counts[trial.Lost] != trials || second.End.FaultHits < trials {
					t.Errorf("the reaper first: %v, %+v", second.Counts, second.End)
				}
				if lost := first.Counts[trial.Lost]; lost > trials/1000 ||
					first.Counts[trial.OK] != trials-lost || first.End.FaultHits == 0 {
					t.Errorf("the waiter first: %v, %+v", first.Counts, first.End)
				}
			})
		}
	}
}

// newHub makes the launcher ready.
func newHub(t *testing.T) *seccomp.Hub {
	t.Helper()
	path, err := target.Find(t.Context(), target.Launcher, "")
	if err != nil {
		t.Fatal(err)
	}
	hub, err := seccomp.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hub.Close(); err != nil {
			t.Error(err)
		}
	})
	return hub
}
