package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
)

// legend explains what the numbers of this run mean, in sentences.
func legend(run results.Run) []string {
	notes := []string{
		"control: a baseline arm, which has to do what its row says; if it does not, nothing was proved.",
		"upper95: with 95% confidence the true rate of bad trials lies below it (one-sided, Clopper-Pearson).",
	}
	if slices.ContainsFunc(run.Findings, hasOnce) {
		notes = append(notes, "once: this control depends on a race, so it is tried until it has failed once; its rate says nothing.")
	}
	if len(run.Findings) > 0 {
		notes = append(notes, "lost: -1, or the target's own word for unknown. wrong: another code. output: bytes missing, or somebody else's. error: an HTTP error where a result was due. hung: no answer by the deadline.")
		notes = append(notes, "hits: how often the fault really hit. checks: how many promises about the sandbox as a whole were kept, of those looked at; a row can fail by one of them alone.")
	}
	for _, f := range run.Findings {
		if _, ok := power(f); ok {
			notes = append(notes, "power: the chance that these trials would have shown a candidate that loses a hundred times less often than the control.")
			break
		}
	}
	if start, n := run.Start(); n > 0 {
		notes = append(notes, fmt.Sprintf("start: a sandbox was ready after %v (%s, median of %d).", start.Round(time.Millisecond), printable.Line(run.Info.Runtime), n))
	}
	return notes
}

func hasOnce(f results.Finding) bool {
	return slices.ContainsFunc(f.Arms, func(a results.Arm) bool { return a.Plan.UntilShown })
}
