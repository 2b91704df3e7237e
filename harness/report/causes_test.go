package report

import (
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// takesThreads is a run whose one scenario shows what is advice, or what weight says.
func takesThreads(weight results.Weight, verdict trial.Verdict) results.Run {
	check := trial.Check{Name: "highest of the target's threads", Want: "at most 42", Got: "153"}
	symptom := trial.FailedCheck(check.Name)
	arm := results.Arm{
		Summary: trial.Summary{
			Plan: trial.Plan{Arm: "candidate", Role: trial.Candidate, Claim: trial.Clean},
		},
		Defects: []results.Defect{{
			Scenario: "many-in-flight", Arm: "candidate", Symptom: symptom, Check: &check,
			Cause: results.CauseOf(evidence.Evidence{Symptom: symptom, Check: check}),
			Level: trial.Advice, Weight: weight,
		}},
	}
	run := results.Run{
		Info:    results.Info{Level: trial.Should, Argv: []string{"bin/reapcheck", "gate"}},
		Folder:  "results/latest",
		Verdict: verdict,
		Findings: []results.Finding{{
			Scenario: trial.Scenario{ID: "many-in-flight", Level: trial.Advice},
			Verdict:  verdict, Arms: []results.Arm{arm},
		}},
	}
	run.Causes = results.Causes(run.Findings)
	return run
}

// What fails nothing is told of wherever a pass is, and nowhere as a failure.
func TestAdviceIsShownAndIsNoFailure(t *testing.T) {
	run := takesThreads(results.Shown, trial.Pass)
	junit, err := JUnit(run)
	if err != nil {
		t.Fatal(err)
	}
	html, err := HTML(run)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"table": table(t, run, Style{}), "markdown": string(Markdown(run)),
		"junit": string(junit), "page": string(html),
	} {
		if !strings.Contains(text, "advice: thread-per-command") {
			t.Errorf("%s does not say it:\n%s", name, text)
		}
		if strings.Contains(text, "causes, described above") || strings.Contains(text, "<failure") {
			t.Errorf("%s has it as a failure:\n%s", name, text)
		}
	}
}

// The first line is the cause, the last but a few name it again, and the page has the
// command that shows it again.
func TestReportsLeadWithTheCause(t *testing.T) {
	run := takesThreads(results.Fails, trial.Fail)
	text := table(t, run, Style{})
	if !strings.HasPrefix(text, "1. advice: thread-per-command\n") ||
		!strings.Contains(text, "\ncauses, described above: thread-per-command (1 scenario)\n") {
		t.Errorf("%s", text)
	}
	html, err := HTML(run)
	if err != nil {
		t.Fatal(err)
	}
	const repeat = "bin/reapcheck repeat results/latest many-in-flight"
	for _, want := range []string{repeat, "for this one cause."} {
		if !strings.Contains(string(html), want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	markdown := string(Markdown(run))
	if strings.Index(markdown, "## 1. ") > strings.Index(markdown, "## Scenarios") {
		t.Errorf("the cause does not come first:\n%s", markdown)
	}
}

// A declared choice is named as one, and a waiver's failure as accepted.
func TestWhyACauseFailsNothing(t *testing.T) {
	for weight, want := range map[results.Weight]string{
		results.Declared: "It is declared (thread-per-command)",
		results.Forgiven: "Waivers accept it.",
		results.Shown:    "--level=advice would make it fail",
		results.Fails:    "declares: [thread-per-command]",
	} {
		verdict := trial.Pass
		if weight == results.Fails {
			verdict = trial.Fail
		}
		if all := causesOf(takesThreads(weight, verdict)); len(all) != 1 ||
			!strings.Contains(all[0].Note, want) {
			t.Errorf("%s: %+v, want %q", weight, all, want)
		}
	}
}

// A link leads to a trial that is on the page, or there is none.
func TestACauseLinksToNoTrialThatIsNotShown(t *testing.T) {
	run := failRun(t)
	if all := causesOf(run); len(all) != 1 || all[0].Anchor == "" {
		t.Fatalf("%+v", all)
	}
	for i := range run.Findings {
		for n := range run.Findings[i].Arms {
			run.Findings[i].Arms[n].Bad = nil
		}
	}
	if all := causesOf(run); all[0].Anchor != "" {
		t.Errorf("a link to %s", all[0].Anchor)
	}
}

// A panic says more than the answer that did not come.
func TestACauseQuotesThePanicInTheLog(t *testing.T) {
	d := results.Defect{Scenario: "storm", Arm: "candidate", Record: &trial.Record{Command: "exit 3"}}
	if text := best(d); strings.Contains(text, "log") {
		t.Error(text)
	}
	d.Complaint = "panic: \x1b[31mclosed"
	if text := best(d); !strings.HasSuffix(text, `; the daemon's log has: panic: \x1b[31mclosed`) {
		t.Error(text)
	}
}
