package results

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// An output in another order excuses none of the same kind of command of which something is
// missing, whichever came first.
func TestAnotherOrderOfTwoStreamsExcusesNothingElse(t *testing.T) {
	const whole, cut = "1 out\n2 out\n1 err\n2 err\n", "1 out\n1 err\n2 out\n"
	for _, c := range []struct {
		got     []string
		verdict trial.Verdict
		causes  string
	}{
		{[]string{whole, whole}, trial.Pass, "streams-interleaved"},
		{[]string{whole, cut}, trial.Fail, "output-cut streams-interleaved"},
		{[]string{cut, whole, whole}, trial.Fail, "output-cut streams-interleaved"},
		{[]string{cut, cut}, trial.Fail, "output-cut"},
	} {
		a := writtenInTurn(t, c.got)
		a.weigh(Info{Level: trial.Should}, trial.Scenario{ID: "output", Level: trial.Must})
		verdict, why := a.Judge()
		if got := strings.Join(causesIn(a.Defects, whatever), " "); got != c.causes ||
			verdict != c.verdict {
			t.Errorf("%q: %v (%s) by %q, want %v by %q", c.got, verdict, why, got, c.verdict,
				c.causes)
		}
		for _, d := range a.Defects {
			if d.Record.Interleaved() != (d.Cause.ID == "streams-interleaved") {
				t.Errorf("%q: %s is shown by %q", c.got, d.Cause.ID, d.Record.Detail)
			}
		}
	}
}

// writtenInTurn is the arm of a command that writes to each of its outputs in turn, which
// came back so.
func writtenInTurn(t *testing.T, outputs []string) Arm {
	t.Helper()
	want := trial.Want{Output: "1 out\n1 err\n2 out\n2 err\n",
		Streams: [2]string{"1 out\n2 out\n", "1 err\n2 err\n"}}
	lines := []trial.Line{{Plan: &trial.Plan{Scenario: "output", Arm: "candidate",
		Role: trial.Candidate, Claim: trial.Clean, Trials: len(outputs)}}}
	for i, output := range outputs {
		outcome, why := trial.Classify(want, trial.Answer{Known: true, Output: output})
		lines = append(lines, trial.Line{Record: &trial.Record{Index: i, Kind: "both-streams",
			Got: new(0), Outcome: outcome, Detail: why}})
	}
	var text bytes.Buffer
	for _, line := range append(lines, trial.Line{End: &trial.End{}}) {
		if err := json.NewEncoder(&text).Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	summary, err := trial.Read(&text)
	if err != nil {
		t.Fatal(err)
	}
	return Arm{Summary: summary}
}
