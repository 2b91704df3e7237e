package session

import (
	"testing"

	"github.com/reapcheck/reapcheck/harness/explore"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// An order that hung ends the search for a candidate, and not for a baseline that is to
// lose a code: it would be left without one.
func TestWhatEndsTheSearchForAnOrder(t *testing.T) {
	candidate := &runningArm{Arm: Arm{Role: trial.Candidate, Claim: trial.Clean}}
	baseline := &runningArm{Arm: Arm{Role: trial.Baseline, Claim: trial.Loses, UntilShown: true}}
	for _, c := range []struct {
		outcome  trial.Outcome
		ended    string
		ofWhom   *runningArm
		expected bool
	}{
		{trial.OK, "", candidate, false}, {trial.OK, "", baseline, false},
		{trial.Lost, "", candidate, true}, {trial.Lost, "", baseline, true},
		{trial.Hung, "", candidate, true}, {trial.Hung, "", baseline, false},
		{trial.OK, "exit status 1", candidate, true}, {trial.OK, "exit status 1", baseline, false},
	} {
		x := &exploring{runningArm: c.ofWhom}
		run := explore.Run{Outcomes: []trial.Outcome{c.outcome}, Whys: []string{""}, Ended: c.ended}
		if got := x.ends(run); got != c.expected {
			t.Errorf("%s, %s, ended %q: ends %v", c.ofWhom.Role, c.outcome, c.ended, got)
		}
	}
}
