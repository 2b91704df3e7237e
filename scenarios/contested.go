package scenarios

import (
	"context"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Contested returns the chosen scenarios without those that hold the candidate's waiters
// until its reaper has taken their command, and why, where no reaper of its does: held, they
// would wait for nobody. The orders of one command show it, and never that nobody came by
// some time.
func Contested(ctx context.Context, s *session.Session, chosen []trial.Scenario) (
	contested []trial.Scenario, why map[string]string, err error) {
	held := map[string]bool{}
	for i, e := range experiments(s, chosen) {
		if holdsWaiters(e) {
			held[chosen[i].ID] = true
		} else {
			contested = append(contested, chosen[i])
		}
	}
	if len(held) == 0 || len(contested) == 0 {
		return chosen, nil, nil
	}
	text, err := s.Spared(ctx)
	if text == "" || err != nil {
		return chosen, nil, err
	}
	why = map[string]string{}
	for id := range held {
		why[id] = text
	}
	return contested, why, nil
}

// holdsWaiters says whether a candidate's waiters are held, from outside.
func holdsWaiters(e session.Experiment) bool {
	for _, arm := range e.Arms {
		if arm.Role == trial.Candidate && heldIn(arm.Fault) {
			return true
		}
	}
	return false
}

func heldIn(f fault.Fault) bool {
	switch f := f.(type) {
	case fault.Hold:
		return f.Policy.Rule == seccomp.ReaperWins
	case fault.All:
		for _, part := range f {
			if heldIn(part) {
				return true
			}
		}
	}
	return false
}
