package scenarios

import (
	"context"
	"slices"

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
	return leaveOut(chosen, with(s, chosen, holdsWaiters),
		func() (string, error) { return s.Spared(ctx) })
}

// Told returns the chosen scenarios without those that tell the candidate late that its
// command has begun, and why, where nothing tells it that could be late.
func Told(ctx context.Context, s *session.Session, chosen []trial.Scenario) (
	told []trial.Scenario, why map[string]string, err error) {
	return leaveOut(chosen, with(s, chosen, tellsLate),
		func() (string, error) { return s.Told(ctx) })
}

// with says of each chosen scenario whether one of its arms is so.
func with(s *session.Session, chosen []trial.Scenario, so func(session.Arm) bool,
) func(trial.Scenario) bool {
	has := map[string]bool{}
	for _, e := range experiments(s, chosen) {
		has[e.Scenario] = slices.ContainsFunc(e.Arms, so)
	}
	return func(c trial.Scenario) bool { return has[c.ID] }
}

// tellsLate says whether an arm tells a candidate late of its commands, from outside.
func tellsLate(arm session.Arm) bool {
	late, ok := arm.Fault.(fault.LateReturn)
	return ok && arm.Role == trial.Candidate && late.Call == fault.Read
}

// holdsWaiters says whether an arm holds a candidate's waiters, from outside.
func holdsWaiters(arm session.Arm) bool {
	return arm.Role == trial.Candidate && heldIn(arm.Fault)
}

func heldIn(f fault.Fault) bool {
	switch f := f.(type) {
	case fault.Hold:
		return f.Policy.Rule == seccomp.ReaperWins
	case fault.All:
		return slices.ContainsFunc(f, heldIn)
	}
	return false
}
