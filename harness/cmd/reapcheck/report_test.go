package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/results"
)

// reported judges a folder again.
func reported(dir string) (status int, out string) {
	root := newRoot()
	var text bytes.Buffer
	root.SetOut(&text)
	root.SetErr(&bytes.Buffer{})
	root.SetArgs([]string{"report", dir})
	cmd, err := root.ExecuteC()
	return exitStatus(cmd.CommandPath(), err), text.String()
}

// Who writes a file of waivers finds out what may stand in it.
func TestHelpNamesTheSchemas(t *testing.T) {
	usage, gate := newReport().Flags().FlagUsages(), newGate().Long
	for _, kind := range results.SchemaKinds() {
		if !strings.Contains(usage, kind) {
			t.Errorf("report --help does not name %s", kind)
		}
	}
	if !strings.Contains(gate, "reapcheck report --schema waivers") {
		t.Error("gate --help does not say what a waiver may hold")
	}
}

// A run.json that was cut is a run that proved nothing; none at all is someone
// else's folder.
func TestReportOfAFolderThatCannotBeRead(t *testing.T) {
	saved, err := os.ReadFile("../../results/testdata/pass/run.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		run    []byte
		status int
		last   string
	}{
		"cut":    {saved[:len(saved)/2], exitInfrastructure, "verdict: inconclusive\n"},
		"empty":  {[]byte{}, exitInfrastructure, "verdict: inconclusive\n"},
		"absent": {nil, exitUsage, ""},
	} {
		dir := t.TempDir()
		if c.run != nil {
			if err := os.WriteFile(filepath.Join(dir, "run.json"), c.run, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if status, out := reported(dir); status != c.status || !strings.HasSuffix(out, c.last) {
			t.Errorf("%s: exit status %d:\n%s", name, status, out)
		}
	}
}
