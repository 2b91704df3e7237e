package scenarios

import (
	"os"
	"regexp"
	"testing"

	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// The table that people read has each scenario, and its level.
func TestTheTableHasEachScenariosLevel(t *testing.T) {
	text, err := os.ReadFile("../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]trial.Level{}
	row := regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| ([a-z]+) \\|")
	for _, found := range row.FindAllSubmatch(text, -1) {
		told[string(found[1])] = trial.Level(found[2])
	}
	for _, s := range List() {
		if _, err := trial.ParseLevel(string(s.Level)); err != nil || told[s.ID] != s.Level {
			t.Errorf("%s is %q, and in docs/scenarios.md %q", s.ID, s.Level, told[s.ID])
		}
		delete(told, s.ID)
	}
	if len(told) > 0 {
		t.Errorf("docs/scenarios.md has scenarios that there are not: %v", told)
	}
}

// A check that is called otherwise would lose its cause, and with it its level.
func TestEachCheckOfABaselineHasACause(t *testing.T) {
	s, looked := planning(t, false), 0
	for _, known := range List() {
		for _, arm := range plans[known.ID](s).Arms {
			for _, symptom := range arm.By {
				if !symptom.OfCheck() {
					continue
				}
				looked++
				name := string(symptom)[len("check "):]
				e := evidence.Evidence{Symptom: symptom,
					Check: trial.Check{Name: name, Want: "running"}}
				if c := results.CauseOf(e); c.ID == "unexplained" {
					t.Errorf("%s/%s: no cause explains %q", known.ID, arm.Name, symptom)
				}
			}
		}
	}
	if looked < 10 {
		t.Errorf("%d checks were looked at", looked)
	}
}
