package results

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// One recording, judged by each level and by what the dialect declares.
func TestTheLevelDecidesWhatFails(t *testing.T) {
	for _, c := range []struct {
		recording string
		info      Info
		verdict   trial.Verdict
		weight    Weight
	}{
		{"naive-flood", Info{Level: trial.Advice}, trial.Fail, Fails},
		{"naive-flood", Info{Level: trial.Should}, trial.Pass, Shown},
		{"naive-hang-up", Info{Level: trial.Should}, trial.Fail, Fails},
		{"naive-hang-up", Info{Level: trial.Must}, trial.Pass, Shown},
		{"naive-hang-up", Info{Level: trial.Should, Declares: []string{"runs-on-after-hang-up"}},
			trial.Pass, Declared},
		{"naive-hang-up", Info{Level: trial.Should, Declares: []string{"stops-at-once"}},
			trial.Fail, Fails},
		{"naive-signals", Info{Level: trial.Should,
			Declares: []string{"unknown-code-for-signals"}}, trial.Pass, Declared},
		{"reaper-only-reaper-wins", Info{Level: trial.Must,
			Declares: Choices()}, trial.Fail, Fails},
		{"naive-flood", Info{}, trial.Fail, Fails}, // older than levels
	} {
		a := savedArm(t, c.recording, c.info, trial.Must)
		verdict, why := a.Judge()
		if verdict != c.verdict {
			t.Errorf("%s, %+v: %v, %s", c.recording, c.info, verdict, why)
		}
		for _, d := range a.Defects {
			if d.Weight != c.weight {
				t.Errorf("%s, %+v: %s %s", c.recording, c.info, d.Cause.ID, d.Weight)
			}
		}
	}
}

// What a declared choice makes hang ends its arm early; what was left out then is left
// out for the choice.
func TestAnArmThatADeclaredChoiceEndedIsWhole(t *testing.T) {
	declares := Info{Level: trial.Should, Declares: []string{"waits-for-output"}}
	a := savedArm(t, "naive-held-stdout", Info{}, trial.Should)
	a.End.GivenUp = true // the recording is older
	a.weigh(declares, trial.Scenario{ID: "held-stdout", Level: trial.Should})
	if v, why := a.Judge(); v != trial.Pass {
		t.Errorf("%v: %s", v, why)
	}
	a.End.GivenUp, a.counted = false, nil
	a.weigh(declares, trial.Scenario{ID: "held-stdout", Level: trial.Should})
	if v, _ := a.Judge(); v != trial.Inconclusive {
		t.Errorf("it was stopped for another reason, and is a %v", v)
	}
	if v, _ := a.Summary.Judge(); v != trial.Fail {
		t.Errorf("the recording itself is a %v", v)
	}
}

// The sandbox that was lost, or a fault that could not be undone, shows no defect.
func TestAnArmThatCountsForNothingHasNoDefects(t *testing.T) {
	a := savedArm(t, "naive-signals", Info{}, trial.Must)
	a.Defects, a.End.Void = nil, "the engine was stopped"
	a.weigh(Info{}, trial.Scenario{})
	if len(a.Defects) > 0 {
		t.Errorf("%d defects", len(a.Defects))
	}
}

// docs/gate.md has each cause, with its level and its choice.
func TestTheGuideHasEachCause(t *testing.T) {
	text, err := os.ReadFile("../../docs/gate.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(string(text), "\n")
	for _, c := range causes {
		if c.Level == "" {
			continue // it has the scenario's
		}
		choice := ""
		if c.Choice != "" {
			choice = "`" + c.Choice + "`"
		}
		row := fmt.Sprintf("| %s | `%s` | %s | %s |", c.Level, c.ID, c.Title, choice)
		if !slices.Contains(rows, row) {
			t.Errorf("docs/gate.md has no row %s", row)
		}
	}
}
