package results

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// The saved run began on 2026-11-23, and both of its scenarios fail.
func TestAWaiverDecidesOnTheRunsVerdict(t *testing.T) {
	for _, c := range []struct {
		name    string
		waivers []Waiver
		verdict trial.Verdict
		waived  []Waived
	}{
		{"one failure is accepted", []Waiver{{"exit-codes", "r", "2026-11-23", nil}}, trial.Fail, []Waived{NotWaived, Accepted}},
		{"the other one's is over", []Waiver{{"late-publish", "r", "2026-11-22", nil}}, trial.Fail, []Waived{Expired, NotWaived}},
		{"both are accepted", []Waiver{
			{"exit-codes", "r", "2999-01-01", nil}, {"late-publish", "r", "2999-01-01", nil},
		}, trial.Inconclusive, []Waived{Accepted, Accepted}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := copied(t, "fail")
			run, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			run.Info.Waivers = c.waivers
			err = WriteInfo(dir, run.Info)
			if run, err = Load(dir); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(err, WriteVerdict(dir, run)); err != nil {
				t.Fatal(err)
			}
			if run.Verdict != c.verdict || run.Findings[0].Waived != c.waived[0] || run.Findings[1].Waived != c.waived[1] {
				t.Errorf("%v: %q, %q", run.Verdict, run.Findings[0].Waived, run.Findings[1].Waived)
			}
			validate(t, strict(t, "verdict"), "verdict.json", read(t, filepath.Join(dir, "verdict.json")))
			validate(t, strict(t, "run"), "run.json", read(t, filepath.Join(dir, "run.json")))
		})
	}
}

// A failure that is accepted takes nothing away from what has passed, and adds
// nothing to what proves nothing.
func TestAnAcceptedFailureBesideAPass(t *testing.T) {
	accepted := Finding{Verdict: trial.Fail, Waived: Accepted}
	for verdict, others := range map[trial.Verdict][]Finding{
		trial.Pass:         {{Verdict: trial.Pass}},
		trial.Fail:         {{Verdict: trial.Fail}, {Verdict: trial.Pass}},
		trial.Inconclusive: {{Verdict: trial.Inconclusive}, {Verdict: trial.Pass}},
	} {
		if got := overall(append(others, accepted)); got != verdict {
			t.Errorf("got %v, want %v", got, verdict)
		}
	}
}

func armWith(role trial.Role, planned int, counts map[trial.Outcome]int) Arm {
	s := trial.Summary{Plan: trial.Plan{Arm: string(role), Role: role, Claim: trial.NoClaim, Trials: planned}, Counts: counts, Ended: true, End: trial.End{FaultHits: 1}}
	for _, n := range counts {
		s.Trials += n
	}
	return Arm{Summary: s}
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
		f := Finding{Scenario: trial.Scenario{ID: "storm"}, Verdict: trial.Fail, Arms: c.arms}
		f.waive([]Waiver{{"storm", "r", "2999-01-01", c.outcomes}}, time.Unix(0, 0))
		if f.Waived != c.want {
			t.Errorf("%s: %q by %v, want %q", c.name, f.Waived, f.Ways(), c.want)
		}
	}
}

// onlyStorm knows one scenario.
func onlyStorm(id string) error {
	if id != "storm" {
		return fmt.Errorf("unknown scenario %q: choose from storm", id)
	}
	return nil
}

func waiverFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "known.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWaiversThatAreWrong(t *testing.T) {
	const good = "waivers:\n- scenario: storm\n  reason: issue 7\n  until: 2026-12-31\n"
	if got, err := ReadWaivers(waiverFile(t, good), onlyStorm); err != nil || len(got) != 1 || got[0].Until != "2026-12-31" || got[0].Reason != "issue 7" {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err := ReadWaivers(waiverFile(t, "waivers: []\n"), onlyStorm); err != nil || len(got) != 0 {
		t.Errorf("none: %+v, %v", got, err)
	}
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown scenario", "storm", "strom", `known.yaml:2: unknown scenario "strom": choose from `},
		{"unknown key", "reason", "resaon", "known.yaml:3: unknown key waivers.0.resaon"},
		{"no reason", "  reason: issue 7\n", "", "known.yaml:2: waivers.0: missing property 'reason'"},
		{"empty reason", "issue 7", `" "`, "known.yaml:3: waivers.0.reason: "},
		{"no day", "2026-12-31", "soon", "known.yaml:4: waivers.0.until: 'soon' does not match pattern"},
		{"no day of the calendar", "2026-12-31", "2026-02-30", "known.yaml:4: 2026-02-30 is no day of the calendar"},
		{"unknown outcome", "2026-12-31\n", "2026-12-31\n  outcomes: [lots]\n", "known.yaml:5: waivers.0.outcomes.0: value must be one of 'lost', 'wrong',"},
		{"no outcome", "2026-12-31\n", "2026-12-31\n  outcomes: []\n", "known.yaml:5: waivers.0.outcomes: minItems: got 0, want 1"},
		{"twice", "\n- scenario", "\n- {scenario: storm, reason: x, until: 2026-12-31}\n- scenario", "known.yaml:3: a second waiver for storm"},
		{"a list alone", "waivers:\n", "", "known.yaml:1: the document: got array, want object"},
	} {
		_, err := ReadWaivers(waiverFile(t, strings.Replace(good, c.old, c.new, 1)), onlyStorm)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	if _, err := ReadWaivers("/nowhere.yaml", onlyStorm); err == nil || !strings.HasPrefix(err.Error(), "read waivers: ") {
		t.Errorf("no file: %v", err)
	}
}
