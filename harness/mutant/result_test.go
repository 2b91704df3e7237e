package mutant

import (
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/report"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func finding(id string, v trial.Verdict, untilBad int) report.Finding {
	arm := trial.Summary{Plan: trial.Plan{Role: trial.Candidate}, UntilBad: untilBad}
	if untilBad > 0 {
		arm.Bad = []trial.Record{{AtMicros: 1500, Micros: 500}}
	}
	return report.Finding{Scenario: report.Scenario{ID: id}, Verdict: v, Reason: id + " says so", Arms: []report.Arm{{Summary: arm}}}
}

func TestResults(t *testing.T) {
	pass, fail := finding("storm", trial.Pass, 0), finding("storm", trial.Fail, 3)
	other, unknown := finding("leaks", trial.Fail, 0), finding("storm", trial.Inconclusive, 0)
	for _, c := range []struct {
		slug     string
		findings []report.Finding
		ok       bool
		text     string
	}{
		{"slug", []report.Finding{fail}, true, "slug: killed by storm after 3 trials"},
		{"slug", []report.Finding{pass}, false, "slug: SURVIVED"},
		{"slug", []report.Finding{unknown}, false, "SURVIVED in 0.1s: storm says so"},
		{"slug", []report.Finding{pass, other}, false, "KILLED ONLY by leaks"},
		{"slug", []report.Finding{fail, other}, true, "killed by storm, leaks"},
		{"", []report.Finding{pass}, true, "unpatched registry: passed"},
		{"", []report.Finding{fail}, false, "ACCUSED by storm"},
		{"", []report.Finding{unknown}, false, "NOT PASSED in 0.1s: storm says so"},
	} {
		r := Result{Slug: c.slug, Strategy: "registry", Named: []string{"storm"}}
		var verdicts []trial.Verdict
		for _, f := range c.findings {
			verdicts = append(verdicts, f.Verdict)
		}
		r.Add(report.Run{Verdict: trial.Overall(verdicts), Findings: c.findings}, 100*time.Millisecond)
		if r.OK() != c.ok || !strings.Contains(r.String(), c.text) {
			t.Errorf("%v, want %v %q", r, c.ok, c.text)
		}
	}
}

func TestAfterIsTheTimeToTheFirstBadAnswer(t *testing.T) {
	var r Result
	r.Add(report.Run{Findings: []report.Finding{finding("storm", trial.Fail, 7)}}, time.Second)
	if r.Trials != 7 || r.AfterMs != 2 {
		t.Errorf("%d trials, %v ms", r.Trials, r.AfterMs)
	}
}

func TestTableEndsWithTheFigure(t *testing.T) {
	report := Report{Seed: 7, Runtime: "namespace", Results: []Result{
		{Strategy: "registry", Named: []string{"storm"}, passed: true},
		{Slug: "a", Named: []string{"storm"}, KilledBy: []string{"storm"}, Trials: 2, TookMs: 1500},
		{Slug: "b", Named: []string{"storm"}},
	}}
	report.Count()
	var text strings.Builder
	if err := report.Table(&text); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(text.String(), "namespace, seed 7, a kill took 1.5s at the median and 1.5s at most\nkilled 1 of 2 mutants\n") || report.OK() {
		t.Errorf("OK %v\n%s", report.OK(), &text)
	}
}
