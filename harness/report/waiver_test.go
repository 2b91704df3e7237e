package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// withWaivers copies a saved run, gives it waivers, and judges it.
func withWaivers(t *testing.T, saved string, waivers ...Waiver) (Run, string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", saved))); err != nil {
		t.Fatal(err)
	}
	run, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	run.Info.Waivers = waivers
	if err := WriteInfo(dir, run.Info); err != nil {
		t.Fatal(err)
	}
	if run, err = Load(dir); err != nil {
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
	first := Waiver{"exit-codes", "issue seven", "2026-11-23", nil}
	second := Waiver{"late-publish", "issue eight", "2999-01-01", nil}
	late := Waiver{"late-publish", "issue eight", "2026-11-22", nil}
	narrow := Waiver{"exit-codes", "issue seven", "2999-01-01", []string{"wrong", "hung"}}
	elsewhere := Waiver{"storm", "issue nine", "2999-01-01", nil}
	for _, c := range []struct {
		name, saved string
		waivers     []Waiver
		verdict     trial.Verdict
		failures    int
		skipped     int
		errors      int
		note        string // that every report has
	}{
		{"one of two failures is accepted", "fail", []Waiver{first}, trial.Fail, 1, 1, 0, "a known finding, accepted until 2026-11-23: issue seven"},
		{"both are", "fail", []Waiver{first, second}, trial.Inconclusive, 0, 2, 1, "every scenario that was run has a waiver"},
		{"one is over", "fail", []Waiver{first, late}, trial.Fail, 1, 1, 0, "accepted until 2026-11-22, which is over: issue eight"},
		{"no longer needed", "pass", []Waiver{second}, trial.Pass, 0, 0, 0, "no longer fails: take its waiver out (until 2999-01-01: issue eight)"},
		{"over and no longer needed", "pass", []Waiver{late}, trial.Pass, 0, 0, 0, "no longer fails: take its waiver out (until 2026-11-22: issue eight)"},
		{"it fails in another way", "fail", []Waiver{narrow}, trial.Fail, 2, 0, 0, "fails in a way which is not accepted (lost): issue seven"},
		{"for another scenario", "fail", []Waiver{elsewhere}, trial.Fail, 2, 0, 0, ""},
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
			validate(t, strict(t, "verdict"), "verdict.json", read(t, filepath.Join(dir, "verdict.json")))
			validate(t, strict(t, "run"), "run.json", read(t, filepath.Join(dir, "run.json")))
		})
	}
}

// One failure is accepted and the other scenario passes: the run passes, and
// says so.
func TestAnAcceptedFailureBesideAPass(t *testing.T) {
	run, _ := withWaivers(t, "fail", Waiver{"exit-codes", "r", "2999-01-01", nil}, Waiver{"late-publish", "r", "2999-01-01", nil})
	whole, err := Load("testdata/pass")
	if err != nil {
		t.Fatal(err)
	}
	run.Findings[1] = whole.Findings[1]
	if v := overall(run.Findings); v != trial.Pass {
		t.Errorf("%v", v)
	}
	run.Verdict = trial.Pass
	if got := headline(run); !strings.HasPrefix(got, "1 of 2 scenarios passed, 1 failed and accepted by a waiver.") {
		t.Error(got)
	}
	whole.Findings[0].Verdict, whole.Findings[0].Waived = trial.Inconclusive, NotWaived
	if v := overall(whole.Findings); v != trial.Inconclusive {
		t.Errorf("beside an inconclusive scenario: %v", v)
	}
}

// A failure is repeated without what would accept it.
func TestRepeatLeavesTheWaiverOut(t *testing.T) {
	run := Run{Info: Info{Argv: []string{"reapcheck", "gate", "--waivers=known.yaml", "--seed=1"}}}
	if got := run.Repeat("storm"); got != "reapcheck gate --seed=1 --only=storm" {
		t.Error(got)
	}
	if got := run.Repeat(""); !strings.Contains(got, "--waivers=known.yaml") {
		t.Error(got)
	}
}

// A waiver for a code that is lost now and then says nothing of a wrong one, nor of
// a daemon that ends.
func TestWhatAWaiverAccepts(t *testing.T) {
	arm := func(counts map[trial.Outcome]int, failed ...string) Arm {
		a := armWith(trial.Candidate, 10, counts)
		a.Plan.Claim = trial.Clean
		for _, name := range failed {
			a.Checks = append(a.Checks, trial.Check{Name: name})
		}
		return a
	}
	lost := arm(map[trial.Outcome]int{trial.OK: 9, trial.Lost: 1})
	wrong := arm(map[trial.Outcome]int{trial.OK: 9, trial.Wrong: 1})
	dead := arm(map[trial.Outcome]int{trial.OK: 10}, "target")
	zombies := arm(map[trial.Outcome]int{trial.OK: 10}, "zombies")
	control := armWith(trial.Baseline, 10, map[trial.Outcome]int{trial.Wrong: 10})
	control.Plan.Claim = trial.Misleads
	for _, c := range []struct {
		name     string
		arms     []Arm
		outcomes []string
		want     Waived
	}{
		{"lost", []Arm{control, lost}, nil, Accepted},
		{"wrong", []Arm{control, wrong}, nil, Exceeded},
		{"lost and wrong", []Arm{control, lost, wrong}, nil, Exceeded},
		{"dead", []Arm{control, dead}, nil, Exceeded},
		{"a check", []Arm{control, zombies}, nil, Accepted},
		{"named: lost", []Arm{control, lost}, []string{"lost"}, Accepted},
		{"named: lost, and a check", []Arm{control, lost, zombies}, []string{"lost"}, Exceeded},
		{"named: wrong", []Arm{control, wrong}, []string{"wrong"}, Accepted},
		{"named: target", []Arm{control, dead}, []string{"target"}, Accepted},
		{"an outcome of a later version", []Arm{control, arm(map[trial.Outcome]int{"odd": 10})}, nil, Exceeded},
	} {
		f := Finding{Scenario: Scenario{ID: "storm"}, Verdict: trial.Fail, Arms: c.arms}
		f.waive([]Waiver{{"storm", "r", "2999-01-01", c.outcomes}}, time.Unix(0, 0))
		if f.Waived != c.want {
			t.Errorf("%s: %q by %v, want %q", c.name, f.Waived, f.ways(), c.want)
		}
	}
}
