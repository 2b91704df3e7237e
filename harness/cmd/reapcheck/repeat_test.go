package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// folderOf is a result folder of a run that has begun.
func folderOf(t *testing.T, version string, argv ...string) string {
	t.Helper()
	folder := t.TempDir()
	info := results.Info{
		Version: version, Argv: argv, Runtime: "namespace", Factor: 0.25, Started: time.Now(),
		Scenarios: []trial.Scenario{{ID: "storm"}, {ID: "idle"}},
	}
	if err := results.WriteInfo(folder, info); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestRepeatTakesAllFromTheFolder(t *testing.T) {
	folder := folderOf(t, versionText(), "bin/reapcheck", "gate", "--binary=./mine", "--seed=7",
		"--runtime=auto", "--tier=quick", "--only=idle", "--waivers=known.yaml", "--", "--its")
	argv, notes, err := repeatArgv(folder, "storm")
	want := []string{"gate", "--binary=./mine", "--seed=7", "--runtime=namespace", "--tier=quick",
		"--only=storm", "--factor=0.25", "--", "--its"}
	if err != nil || len(notes) > 0 || !slices.Equal(argv, want) {
		t.Errorf("%q, notes %q, error %v", argv, notes, err)
	}
}

func TestRepeatSaysWhatItCannotPromise(t *testing.T) {
	other := folderOf(t, "v0.0.1", "reapcheck", "repro")
	if _, notes, err := repeatArgv(other, "storm"); err != nil || len(notes) != 1 ||
		!strings.Contains(notes[0], "v0.0.1") {
		t.Errorf("another version: %q, %v", notes, err)
	}
	for what, c := range map[string]struct{ folder, scenario, says string }{
		"a scenario that was not run": {other, "frozen", "choose from storm, idle"},
		"no result folder":            {t.TempDir(), "storm", "not a result folder"},
		"no command line":             {folderOf(t, versionText()), "storm", "no command line"},
		"a target's secret": {folderOf(t, versionText(), "reapcheck", "gate", "--",
			"--token="+mask), "storm", "by hand"},
		"a URL's secret": {folderOf(t, versionText(), "reapcheck", "gate",
			"--url="+maskURL("http://me:secret@example.com")), "storm", "by hand"},
	} {
		if _, _, err := repeatArgv(c.folder, c.scenario); err == nil ||
			!strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
