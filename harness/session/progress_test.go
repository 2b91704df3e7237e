package session

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// watch runs a scenario of 20 s in a bubble of its own time, beside one that
// has not begun, and returns what was written.
func watch(t *testing.T, terminal bool, scenario string) string {
	var out bytes.Buffer
	synctest.Test(t, func(*testing.T) {
		p := NewProgress(&out, terminal)
		e := Experiment{Scenario: scenario, Arms: []Arm{{Trials: 1000}, {Trials: 1000}}}
		p.Forecast(20 * time.Second)
		p.Expect([]Experiment{e, {Scenario: "other", Arms: []Arm{{Trials: 500}}}})
		began := p.Begin(e)
		time.Sleep(3 * time.Second) // sandboxes start
		for range 1000 {
			p.Trial(trial.Baseline, trial.Lost)
			p.Trial(trial.Candidate, trial.OK)
			time.Sleep(20 * time.Millisecond)
		}
		p.Say("said %s between", "in\x1b]0;")
		p.End(e, Finding{Verdict: trial.Fail, Reason: "why\x1b[31m\nmore"}, began)
	})
	return out.String()
}

func TestProgressInALog(t *testing.T) {
	out := watch(t, false, "storm")
	if strings.ContainsAny(out, "\x1b\r") {
		t.Errorf("terminal codes in a log: %q", out)
	}
	for _, want := range []string{
		"[0/2] 1201/2500 trials, bad: candidate 0, baseline 601; 15s, about 5s left; running storm\n",
		"; 20s, longer than expected; running storm\n",
		`said in\x1b]0; between`,
		"[1/2] storm: fail in 23.0s: why\\x1b[31m\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if n := strings.Count(out, "\n"); n > 8 {
		t.Errorf("%d lines in 23 s", n)
	}
}

// A line that fills the last column wraps, and then \r does not reach its
// start: the screen fills with rests.
func TestProgressOnATerminal(t *testing.T) {
	out := watch(t, true, strings.Repeat("long", 10))
	if got := strings.Count(out, "\n"); got != 2 {
		t.Errorf("%d lines stay, want that said in between and the end:\n%q", got, out)
	}
	for _, text := range strings.Split(out, clear) {
		text, _, stays := strings.Cut(text, "\n")
		if n := utf8.RuneCountInString(text); n > 79 && !stays {
			t.Errorf("%d columns: %q", n, text)
		}
	}
}

func TestZeroProgressIsSilent(t *testing.T) {
	var p Progress
	e := Experiment{Scenario: "storm", Arms: []Arm{{Trials: 1}}}
	p.Expect([]Experiment{e})
	began := p.Begin(e)
	p.Trial(trial.Candidate, trial.OK)
	p.Say("nothing")
	p.End(e, Finding{}, began)
}
