package report

import (
	"fmt"
	"strings"

	"github.com/reapcheck/reapcheck/harness/printable"
)

// LeftOut is a scenario that a run was not to try. Nothing is proved about it, and
// a report that did not say so would look like one of all scenarios.
type LeftOut struct {
	ID string `json:"id"`
	// Why is a phrase, the same for all that were left out for one reason.
	Why string `json:"why"`
}

// LeftOutNotes names what was left out, a sentence for each reason.
func (i Info) LeftOutNotes() []string {
	var reasons []string
	ids := map[string][]string{}
	for _, l := range i.LeftOut {
		if ids[l.Why] == nil {
			reasons = append(reasons, l.Why)
		}
		ids[l.Why] = append(ids[l.Why], l.ID)
	}
	var notes []string
	for _, why := range reasons {
		notes = append(notes, printable.Line(fmt.Sprintf("left out, %s: %s", why, strings.Join(ids[why], ", "))))
	}
	return notes
}

// leftOutSentence is for the headline; empty where nothing was left out.
func (i Info) leftOutSentence() string {
	switch n := len(i.LeftOut); n {
	case 0:
		return ""
	case 1:
		return " 1 scenario was left out."
	default:
		return fmt.Sprintf(" %d scenarios were left out.", n)
	}
}
