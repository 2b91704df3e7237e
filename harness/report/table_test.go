package report

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func failRun(t *testing.T) results.Run {
	t.Helper()
	run, err := results.Load("../results/testdata/fail")
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func table(t *testing.T, run results.Run, style Style) string {
	t.Helper()
	var b strings.Builder
	if err := Table(&b, run, style); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTableEndsWithTheVerdict(t *testing.T) {
	run := failRun(t)
	if text := table(t, run, Style{}); !strings.HasSuffix(text, "\nverdict: fail\n") ||
		strings.Contains(text, "\x1b") {
		t.Errorf("%q", text[len(text)-100:])
	}
	if text := table(t, run, Style{Colour: true}); !strings.HasSuffix(text,
		"\nverdict: \x1b[31mfail\x1b[0m\n") {
		t.Errorf("%q", text[len(text)-100:])
	}
	if text := table(t, results.Run{}, Style{}); !strings.HasSuffix(text,
		"\nverdict: inconclusive\n") {
		t.Errorf("an empty run: %q", text)
	}
}

// The problem must not have to be looked for below all that was not run.
func TestTableOfARunThatDidNotBegin(t *testing.T) {
	run := results.Run{
		Info:     results.Info{Problem: "there is no engine here"},
		Findings: make([]results.Finding, 23),
	}
	text := table(t, run, Style{})
	if !strings.HasPrefix(text, "of 23 scenarios none was run\n") ||
		!strings.Contains(text, "\nproblem: there is no engine here\n") ||
		strings.Count(text, "\n") > 5 {
		t.Errorf("%s", text)
	}
}

// Whoever interrupts a run is told how to go on, and not to leave out what had no turn.
func TestTableOfACutRunSaysHowToCompleteIt(t *testing.T) {
	run := failRun(t)
	run.Verdict, run.Info.Problem = trial.Inconclusive, "interrupted"
	run.Info.Argv = []string{"bin/reapcheck", "gate", "--binary=x"}
	text := table(t, run, Style{})
	if !strings.Contains(text, "\nto complete it: bin/reapcheck gate --resume "+run.Folder+"\n") ||
		strings.Contains(text, "--skip") {
		t.Errorf("%s", text)
	}
}

// What has one cause is mended once, and tried again by the scenario that shows it best.
func TestTableRepeatsEachCauseOnce(t *testing.T) {
	text := table(t, failRun(t), Style{})
	const line = "repeat with: bin/reapcheck repeat ../results/testdata/fail "
	if strings.Count(text, line+"late-publish\n") != 1 || strings.Count(text, line) != 1 {
		t.Errorf("the one cause is not repeated once:\n%s", text)
	}
}

// Lines that are meant to be pasted stay whole; all others fit.
func TestTableFitsANarrowTerminal(t *testing.T) {
	for _, width := range []int{60, 80, 200} {
		for line := range strings.Lines(table(t, failRun(t), Style{Width: width})) {
			line = strings.TrimSuffix(line, "\n")
			if n := utf8.RuneCountInString(line); n > width &&
				!strings.Contains(line, "repeat with") && !strings.HasPrefix(line, "fail ") {
				t.Errorf("%d columns of %d: %s", n, width, line)
			}
		}
	}
	if wide := table(t, failRun(t), Style{Width: 200}); !strings.Contains(wide, "rate") {
		t.Error("a wide table has no rates")
	}
}

func TestBaselinesSayThatTheyMustFail(t *testing.T) {
	text := table(t, failRun(t), Style{})
	for _, want := range []string{"baseline: must lose all\n", "baseline: must lose\n",
		"baseline: must be clean\n", "must be clean [fail]\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
}

// A rate that ended with the first bad trial would mislead whoever is not told.
func TestABaselineThatIsTriedUntilItFailsSaysOnce(t *testing.T) {
	run := failRun(t)
	if text := table(t, run, Style{}); strings.Contains(text, "once: ") {
		t.Error("the legend explains what is not there")
	}
	for i := range run.Findings {
		for j := range run.Findings[i].Arms {
			arm := &run.Findings[i].Arms[j]
			arm.Plan.UntilShown, arm.End.ShownBy = arm.Plan.Claim == trial.Loses, new(0)
		}
		if _, ok := run.Findings[i].Power(); ok {
			t.Errorf("%s: power is drawn from a rate that says nothing", run.Findings[i].ID)
		}
	}
	text := table(t, run, Style{})
	for _, want := range []string{"baseline: must lose once\n", "\nonce: "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
}

// A hundred variables, or a script of many lines, leave room for what came of it.
func TestAnExampleIsShort(t *testing.T) {
	long := strings.Repeat("REAPCHECK=x ", 100)
	text := trialText("candidate", trial.Record{Command: long, Beside: long, Detail: "why"})
	if len(text) > 4*exampleLimit || !strings.Contains(text, "why") {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}
