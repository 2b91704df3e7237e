package scenarios

import (
	"context"
	"slices"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Contested returns the chosen scenarios without those that only hold the candidate's waiters
// until its reaper has taken their command, and why, where no reaper of its does: held, they
// would wait for nobody. Of a scenario that asks something else too it is the arm that the
// session then leaves out. If nothing else was chosen, the scenario says so itself.
func Contested(ctx context.Context, s *session.Session, chosen []trial.Scenario) (
	contested []trial.Scenario, why map[string]string, err error) {
	if whole, arms := moot(s, chosen, false); len(whole)+len(arms) == 0 || len(whole) == len(chosen) {
		return chosen, nil, nil
	}
	uncontested, err := s.Spared(ctx)
	if uncontested.Why == "" || err != nil {
		return chosen, nil, err
	}
	whole, arms := moot(s, chosen, uncontested.WaitsForNone)
	if len(whole) == len(chosen) {
		return chosen, nil, nil
	}
	s.Uncontested = uncontested
	why = map[string]string{}
	for _, what := range append(whole, arms...) {
		why[what] = uncontested.Why
	}
	return slices.DeleteFunc(slices.Clone(chosen), func(c trial.Scenario) bool {
		return slices.Contains(whole, c.ID)
	}), why, nil
}

// moot are the scenarios that hold waiters in each of the candidate's arms, and the arms of
// others that do.
func moot(s *session.Session, chosen []trial.Scenario, waitsForNone bool) (whole, arms []string) {
	for _, e := range experiments(s, chosen) {
		held := armsThat(e.Arms, holdsWaiters(waitsForNone))
		if len(held) > 0 && len(held) == len(armsThat(e.Arms, isCandidate)) {
			whole = append(whole, e.Scenario)
			continue
		}
		for _, arm := range held {
			arms = append(arms, "the arm "+arm+" of "+e.Scenario)
		}
	}
	return whole, arms
}

// armsThat are the names of the arms that are so.
func armsThat(arms []session.Arm, so func(session.Arm) bool) (all []string) {
	for _, arm := range arms {
		if so(arm) {
			all = append(all, arm.Name)
		}
	}
	return all
}

func isCandidate(arm session.Arm) bool { return arm.Role == trial.Candidate }

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
	return ok && isCandidate(arm) && late.Call == fault.Read
}

// withoutHeld are an experiment's arms but for those that hold the candidate's waiters, or all
// of them where nothing else would be asked of it.
func withoutHeld(arms []session.Arm, waitsForNone bool) []session.Arm {
	rest := slices.DeleteFunc(slices.Clone(arms), holdsWaiters(waitsForNone))
	if !slices.ContainsFunc(rest, isCandidate) {
		return arms
	}
	return rest
}

// holdsWaiters says whether an arm holds a candidate's waiters, from outside, or makes its
// waits late, of a candidate that has none.
func holdsWaiters(waitsForNone bool) func(session.Arm) bool {
	return func(arm session.Arm) bool { return isCandidate(arm) && heldIn(arm.Fault, waitsForNone) }
}

func heldIn(f fault.Fault, waitsForNone bool) bool {
	switch f := f.(type) {
	case fault.Hold:
		return f.Policy.Rule == seccomp.ReaperWins
	case fault.LateReturn:
		return waitsForNone && f.Call == fault.Wait4
	case fault.All:
		return slices.ContainsFunc(f, func(f fault.Fault) bool { return heldIn(f, waitsForNone) })
	}
	return false
}
