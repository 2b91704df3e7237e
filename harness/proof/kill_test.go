package proof

import (
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func finding(id string, v trial.Verdict, untilBad int) results.Finding {
	arm := trial.Summary{Plan: trial.Plan{Role: trial.Candidate}, UntilBad: untilBad}
	if untilBad > 0 {
		arm.Counts = map[trial.Outcome]int{trial.Lost: 1}
		arm.Bad = []trial.Record{{AtMicros: 1500, Micros: 500}}
	}
	return results.Finding{
		Scenario: trial.Scenario{ID: id},
		Verdict:  v,
		Reason:   id + " says so",
		Arms:     []results.Arm{{Summary: arm}},
	}
}

func TestResults(t *testing.T) {
	pass, fail := finding("storm", trial.Pass, 0), finding("storm", trial.Fail, 3)
	other, unknown := finding("leaks", trial.Fail, 0), finding("storm", trial.Inconclusive, 0)
	for _, c := range []struct {
		slug     string
		findings []results.Finding
		ok       bool
		text     string
	}{
		{"slug", []results.Finding{fail}, true, "slug: killed by storm after 3 trials"},
		{"slug", []results.Finding{pass}, false, "slug: SURVIVED"},
		{"slug", []results.Finding{unknown}, false, "SURVIVED in 0.1s: storm says so"},
		{"slug", []results.Finding{pass, other}, false, "KILLED ONLY by leaks"},
		{"slug", []results.Finding{fail, other}, true, "killed by storm, leaks"},
		{"slug", []results.Finding{finding("storm", trial.Fail, 0)}, false,
			`KILLED NOT AS "lost" by storm in 0.1s: storm says so`},
		{"", []results.Finding{pass}, true, "unpatched registry: passed"},
		{"", []results.Finding{fail}, false, "ACCUSED by storm"},
		{"", []results.Finding{unknown}, false, "NOT PASSED in 0.1s: storm says so"},
	} {
		r := Kill{
			Slug:     c.slug,
			Strategy: "registry",
			Named:    []string{"storm"},
			As:       trial.Symptom(trial.Lost),
		}
		var verdicts []trial.Verdict
		for _, f := range c.findings {
			verdicts = append(verdicts, f.Verdict)
		}
		r.Add(results.Run{
			Verdict:  trial.Overall(verdicts),
			Findings: c.findings,
		}, 100*time.Millisecond)
		if r.OK() != c.ok || !strings.Contains(r.String(), c.text) {
			t.Errorf("%v, want %v %q", r, c.ok, c.text)
		}
	}
}

func TestAfterIsTheTimeToTheFirstBadAnswer(t *testing.T) {
	var r Kill
	r.Add(results.Run{Findings: []results.Finding{finding("storm", trial.Fail, 7)}}, time.Second)
	if r.Trials != 7 || r.AfterMs != 2 {
		t.Errorf("%d trials, %v ms", r.Trials, r.AfterMs)
	}
}

func TestTableEndsWithTheFigure(t *testing.T) {
	report := Kills{Seed: 7, Runtime: "namespace", Kills: []Kill{
		{Strategy: "registry", Named: []string{"storm"}, Passed: true},
		{
			Slug:     "a",
			Named:    []string{"storm"},
			KilledBy: []string{"storm"},
			Shown:    true,
			Trials:   2,
			TookMs:   1500,
		},
		{Slug: "b", Named: []string{"storm"}},
	}}
	report.Count()
	var text strings.Builder
	if err := report.Table(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(text.String(),
		"namespace, seed 7, a kill took 1.5s at the median and 1.5s at most\nkilled 1 of 2 mutants\n") || report.Verdict() != trial.Fail {
		t.Errorf("%v\n%s", report.Verdict(), &text)
	}
}

// What could not be judged has not survived, and nothing at all is no success.
func TestVerdictOfAReport(t *testing.T) {
	passed, broken := Kill{Passed: true}, Kill{Problem: "no engine"}
	killed, survived := Kill{Slug: "a", Shown: true}, Kill{Slug: "b"}
	unknown := Kill{Slug: "c", Problem: "no engine"}
	for _, c := range []struct {
		name    string
		results []Kill
		want    trial.Verdict
		figure  string
	}{
		{"nothing", nil, trial.Inconclusive, "killed 0 of 0 mutants"},
		{"a daemon without a defect alone", []Kill{passed}, trial.Inconclusive,
			"killed 0 of 0 mutants"},
		{"all killed", []Kill{passed, killed}, trial.Pass, "killed 1 of 1 mutants"},
		{"a survivor", []Kill{passed, killed, survived}, trial.Fail, "killed 1 of 2 mutants"},
		{"one not judged", []Kill{passed, killed, unknown}, trial.Inconclusive,
			"killed 1 of 2 mutants, 1 not judged"},
		{"a survivor beside it", []Kill{passed, unknown, survived}, trial.Fail,
			"killed 0 of 2 mutants, 1 not judged"},
		{"a daemon without a defect not judged", []Kill{broken, killed}, trial.Inconclusive,
			"killed 1 of 1 mutants, 1 not judged"},
		{"a daemon without a defect that failed", []Kill{{}, killed}, trial.Fail,
			"killed 1 of 1 mutants, 1 without a defect did not pass"},
	} {
		r := Kills{Kills: c.results}
		r.Count()
		var text strings.Builder
		if err := r.Table(&text); err != nil {
			t.Fatal(err)
		}
		if r.Verdict() != c.want || !strings.HasSuffix(text.String(), "\n"+c.figure+"\n") {
			t.Errorf("%s: %v\n%s", c.name, r.Verdict(), &text)
		}
	}
}

func TestARunWithAProblemHasJudgedNothing(t *testing.T) {
	for _, slug := range []string{"", "slug"} {
		r := Kill{Slug: slug, Strategy: "registry", Named: []string{"storm"}}
		r.Add(results.Run{
			Info:     results.Info{Problem: "no engine"},
			Findings: []results.Finding{finding("storm", trial.Inconclusive, 0)},
		}, 0)
		if r.Judged() || r.OK() || !strings.Contains(r.String(), "NOT JUDGED in 0.0s: no engine") {
			t.Error(r)
		}
	}
}
