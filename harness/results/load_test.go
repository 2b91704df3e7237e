package results

import (
	"os"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// passing is a copy of a run that passed, with its run.json changed.
func passing(t *testing.T, change func(*Info)) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/pass")); err != nil {
		t.Fatal(err)
	}
	run, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	change(&run.Info)
	if err := WriteInfo(dir, run.Info); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLoadNeverPassesARunThatWasCut(t *testing.T) {
	for name, change := range map[string]func(*Info){
		"a problem":            func(i *Info) { i.Problem = "interrupted" },
		"no scenarios":         func(i *Info) { i.Scenarios = nil },
		"a scenario taken out": func(i *Info) { i.Scenarios = i.Scenarios[:1] },
		"a scenario not begun": func(i *Info) {
			i.Scenarios = append(i.Scenarios,
				trial.Scenario{ID: "storm"})
		},
	} {
		run, err := Load(passing(t, change))
		if err != nil || run.Verdict != trial.Inconclusive {
			t.Errorf("%s: %v, %v", name, run.Verdict, err)
		}
	}
}

func TestLoadStaysInItsFolder(t *testing.T) {
	for _, id := range []string{"../pass", "/etc", "a/b", "..", ""} {
		dir := passing(t, func(i *Info) { i.Scenarios[0].ID = id })
		if _, err := Load(dir); err == nil ||
			!strings.Contains(err.Error(), "not the name of a folder") {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestLoadSaysWhatIsMissing(t *testing.T) {
	if _, err := Load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "run.json") {
		t.Error(err)
	}
}
