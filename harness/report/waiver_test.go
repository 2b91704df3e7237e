package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// withWaivers copies a saved run, gives it waivers, and judges it.
func withWaivers(t *testing.T, saved string, waivers ...results.Waiver) (results.Run, string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("../results/testdata", saved))); err != nil {
		t.Fatal(err)
	}
	run, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	run.Info.Waivers = waivers
	if err := results.WriteInfo(dir, run.Info); err != nil {
		t.Fatal(err)
	}
	if run, err = results.Load(dir); err != nil {
		t.Fatal(err)
	}
	if err := Write(dir, run); err != nil {
		t.Fatal(err)
	}
	writeTable(t, filepath.Join(dir, "table.txt"), run)
	return run, dir
}

// The saved runs began on 2026-11-23; in one both scenarios fail, in the other
// both pass.
func TestWaivers(t *testing.T) {
	first := results.Waiver{Scenario: "exit-codes", Reason: "issue seven", Until: "2026-11-23"}
	second := results.Waiver{Scenario: "late-publish", Reason: "issue eight", Until: "2999-01-01"}
	late := results.Waiver{Scenario: "late-publish", Reason: "issue eight", Until: "2026-11-22"}
	narrow := results.Waiver{Scenario: "exit-codes", Reason: "issue seven", Until: "2999-01-01", Outcomes: []string{"wrong", "hung"}}
	elsewhere := results.Waiver{Scenario: "storm", Reason: "issue nine", Until: "2999-01-01"}
	for _, c := range []struct {
		name, saved string
		waivers     []results.Waiver
		verdict     trial.Verdict
		failures    int
		skipped     int
		errors      int
		note        string // that every report has
	}{
		{"one of two failures is accepted", "fail", []results.Waiver{first}, trial.Fail, 1, 1, 0, "a known finding, accepted until 2026-11-23: issue seven"},
		{"both are", "fail", []results.Waiver{first, second}, trial.Inconclusive, 0, 2, 1, "every scenario that was run has a waiver"},
		{"one is over", "fail", []results.Waiver{first, late}, trial.Fail, 1, 1, 0, "accepted until 2026-11-22, which is over: issue eight"},
		{"no longer needed", "pass", []results.Waiver{second}, trial.Pass, 0, 0, 0, "no longer fails: take its waiver out (until 2999-01-01: issue eight)"},
		{"over and no longer needed", "pass", []results.Waiver{late}, trial.Pass, 0, 0, 0, "no longer fails: take its waiver out (until 2026-11-22: issue eight)"},
		{"it fails in another way", "fail", []results.Waiver{narrow}, trial.Fail, 2, 0, 0, "fails in a way which is not accepted (lost): issue seven"},
		{"for another scenario", "fail", []results.Waiver{elsewhere}, trial.Fail, 2, 0, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			run, dir := withWaivers(t, c.saved, c.waivers...)
			s := junitOf(t, run)
			if run.Verdict != c.verdict || s.Failures != c.failures || s.Skipped != c.skipped || s.Errors != c.errors {
				t.Errorf("%v; junit: %d failures, %d skipped, %d errors", run.Verdict, s.Failures, s.Skipped, s.Errors)
			}
			for _, name := range []string{"table.txt", "report.md", "report.html", "junit.xml"} {
				text := strings.Join(strings.Fields(strings.ReplaceAll(string(read(t, filepath.Join(dir, name))), "\\", "")), " ")
				if !strings.Contains(text, c.note) {
					t.Errorf("%s does not say %q", name, c.note)
				}
			}
		})
	}
}

// One failure is accepted and the other scenario passes: the run passes, and
// says so.
func TestAnAcceptedFailureBesideAPass(t *testing.T) {
	run, _ := withWaivers(t, "fail", results.Waiver{Scenario: "exit-codes", Reason: "r", Until: "2999-01-01"})
	run.Findings[0].Verdict, run.Verdict = trial.Pass, trial.Pass
	if got := headline(run); !strings.HasPrefix(got, "1 of 2 scenarios passed, 1 failed and accepted by a waiver.") {
		t.Error(got)
	}
}
