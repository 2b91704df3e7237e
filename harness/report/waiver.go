package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Waiver is a finding that is known and accepted for a while.
type Waiver struct {
	Scenario string `json:"scenario" yaml:"scenario"`
	Reason   string `json:"reason" yaml:"reason"`
	// Until is the last day on which it counts, as YYYY-MM-DD in UTC.
	Until string `json:"until" yaml:"until"`
	// Outcomes are the ways of failing that it accepts; see usualWays for none.
	Outcomes []string `json:"outcomes,omitempty" yaml:"outcomes"`
}

// Waived is what a waiver does for its scenario.
type Waived string

const (
	// NotWaived: there is no waiver, or nothing was proved.
	NotWaived Waived = ""
	// Accepted: the scenario fails, and the run does not fail for it.
	Accepted Waived = "accepted"
	// Expired: the scenario fails, and the waiver's last day is over.
	Expired Waived = "expired"
	// Exceeded: the scenario fails in a way that the waiver does not accept.
	Exceeded Waived = "exceeded"
	// Unneeded: the scenario no longer fails.
	Unneeded Waived = "unneeded"
)

// waive looks for the scenario's waiver. The day that counts is the one on which
// the run began, so that an old run is judged as it was.
func (f *Finding) waive(waivers []Waiver, began time.Time) {
	for i, w := range waivers {
		if w.Scenario != f.ID {
			continue
		}
		f.Waiver = &waivers[i]
		switch {
		case f.Verdict == trial.Pass:
			f.Waived = Unneeded
		case f.Verdict != trial.Fail:
		case began.UTC().Format(time.DateOnly) > w.Until:
			f.Waived = Expired
		case len(w.beyond(f.ways())) > 0:
			f.Waived = Exceeded
		default:
			f.Waived = Accepted
		}
	}
}

// overall is the verdict of all scenarios but those whose failure is accepted:
// of these alone, nothing is proved.
func overall(findings []Finding) trial.Verdict {
	var verdicts []trial.Verdict
	for _, f := range findings {
		if f.Waived != Accepted {
			verdicts = append(verdicts, f.Verdict)
		}
	}
	return trial.Overall(verdicts)
}

// allAccepted says whether no scenario is left to be judged.
func (r Run) allAccepted() bool {
	for _, f := range r.Findings {
		if f.Waived != Accepted {
			return false
		}
	}
	return len(r.Findings) > 0
}

// waiverNote says what the waiver does, in a sentence; empty where it does
// nothing.
func (f Finding) waiverNote() string {
	switch f.Waived {
	case Accepted:
		return fmt.Sprintf("a known finding, accepted until %s: %s", printable.Line(f.Waiver.Until), printable.Text(f.Waiver.Reason))
	case Expired:
		return fmt.Sprintf("a known finding that was accepted until %s, which is over: %s", printable.Line(f.Waiver.Until), printable.Text(f.Waiver.Reason))
	case Exceeded:
		beyond := printable.Line(strings.Join(f.Waiver.beyond(f.ways()), ", "))
		return fmt.Sprintf("a known finding that fails in a way which is not accepted (%s): %s", beyond, printable.Text(f.Waiver.Reason))
	case Unneeded:
		return fmt.Sprintf("no longer fails: take its waiver out (until %s: %s)", printable.Line(f.Waiver.Until), printable.Text(f.Waiver.Reason))
	}
	return ""
}

// allAcceptedNote is for a run that is inconclusive for no other reason.
const allAcceptedNote = "every scenario that was run has a waiver, so nothing is proved"

// word is the verdict, and that its failure is accepted.
func (f Finding) word() string {
	if f.Waived == Accepted {
		return f.Verdict.String() + ", accepted"
	}
	return f.Verdict.String()
}
