package report

import (
	"fmt"
	"strings"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
)

// waiverNote says what the waiver does, in a sentence; empty where it does
// nothing.
func waiverNote(f results.Finding) string {
	switch f.Waived {
	case results.Accepted:
		return fmt.Sprintf("a known finding, accepted until %s: %s", printable.Line(f.Waiver.Until), printable.Text(f.Waiver.Reason))
	case results.Expired:
		return fmt.Sprintf("a known finding that was accepted until %s, which is over: %s", printable.Line(f.Waiver.Until), printable.Text(f.Waiver.Reason))
	case results.Exceeded:
		beyond := printable.Line(strings.Join(f.Waiver.Beyond(f.Ways()), ", "))
		return fmt.Sprintf("a known finding that fails in a way which is not accepted (%s): %s", beyond, printable.Text(f.Waiver.Reason))
	case results.Unneeded:
		return fmt.Sprintf("no longer fails: take its waiver out (until %s: %s)", printable.Line(f.Waiver.Until), printable.Text(f.Waiver.Reason))
	}
	return ""
}

// allAcceptedNote is for a run that is inconclusive for no other reason.
const allAcceptedNote = "every scenario that was run has a waiver, so nothing is proved"

// word is the verdict, and that its failure is accepted.
func verdictWord(f results.Finding) string {
	if f.Waived == results.Accepted {
		return f.Verdict.String() + ", accepted"
	}
	return f.Verdict.String()
}
