package results

import (
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

func TestArmsStandInTheOrderInWhichTheyAreRead(t *testing.T) {
	var arms []Arm
	for _, name := range strings.Fields(
		`candidate-256 baseline-256 candidate-1s documented-1s candidate-8 baseline-8 naive-reaper-wins
		candidate-50ms documented-50ms candidate naive candidate-reaper-wins candidate-refuses-word`) {
		role := trial.Baseline
		if strings.HasPrefix(name, "candidate") {
			role = trial.Candidate
		}
		arms = append(arms, Arm{Summary: trial.Summary{Plan: trial.Plan{Arm: name, Role: role}}})
	}
	sortArms(arms)
	var got []string
	for _, a := range arms {
		got = append(got, a.Plan.Arm)
	}
	want := "naive candidate baseline-8 candidate-8 baseline-256 candidate-256 documented-50ms candidate-50ms documented-1s candidate-1s " +
		"naive-reaper-wins candidate-reaper-wins candidate-refuses-word"
	if strings.Join(got, " ") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, " "), want)
	}
}
