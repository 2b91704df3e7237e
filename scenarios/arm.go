package scenarios

import (
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// candidate is the arm that runs the daemon under test, which must be clean.
func candidate(arm session.Arm) session.Arm {
	arm.Name, arm.Role, arm.Claim = "candidate", trial.Candidate, trial.Clean
	return arm
}

// misbehaving is a baseline: the reference daemon under a strategy that breaks
// the promise at hand, and shows it by all of these symptoms.
func misbehaving(arm session.Arm, name, strategy string, by ...trial.Symptom) session.Arm {
	arm.Name, arm.Role, arm.Strategy, arm.Claim, arm.By = name, trial.Baseline, strategy,
		trial.Misbehaves, by
	return arm
}

// naive is the baseline where all strategies keep the promise: fixtures/programs/naive,
// in one of its manners if one is named.
func naive(arm session.Arm, manner string, by ...trial.Symptom) session.Arm {
	arm.Name, arm.Role, arm.Build, arm.Claim, arm.By = "naive", trial.Baseline, target.Naive,
		trial.Misbehaves, by
	if manner != "" {
		arm.Name, arm.Env = "naive-"+manner, map[string]string{"NAIVE": manner}
	}
	return arm
}
