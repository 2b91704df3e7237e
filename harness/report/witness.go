package report

import (
	"fmt"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// witnessNote says what the target does where the fault is held the other way,
// so that its waiter comes first; empty where that was not tried to its end, or
// where the fault never hit, so that nobody was made to come first. It tells a race
// from a target that gives no codes whoever comes first, and claims no cause that
// the numbers do not bear out.
func witnessNote(f results.Finding) string {
	for _, a := range f.Arms {
		if a.Plan.Role == trial.Witness && (a.Trials != a.Plan.Trials || a.End.FaultHits == 0 || a.End.Void != "" || a.End.FaultNote != "") {
			return ""
		}
	}
	w, c := tallyOf(f, trial.Witness), tallyOf(f, trial.Candidate)
	const begin = "The other way round, with the waiter first,"
	answers := plural(w.trials, "answer")
	low, _ := trial.Interval95(c.bad, c.trials)
	switch {
	case w.trials == 0 || c.trials == 0:
		return ""
	case c.bad == 0 && w.bad == 0:
		return fmt.Sprintf("%s all %s were right too: neither order took a code from this target.", begin, answers)
	case trial.Upper95(w.bad, w.trials) < low:
		return fmt.Sprintf("%s %d of %s were bad instead of %d of %d: the order decides, so it is the race.", begin, w.bad, answers, c.bad, c.trials)
	case 2*rate(w.bad, w.trials) < rate(c.bad, c.trials):
		return fmt.Sprintf("%s %d of %s were bad instead of %d of %d: too few to say whether the order decides.", begin, w.bad, answers, c.bad, c.trials)
	case c.bad > 0:
		return fmt.Sprintf("%s %d of %s were bad too: the race is not all that is wrong.", begin, w.bad, answers)
	}
	return fmt.Sprintf("%s %d of %s were bad.", begin, w.bad, answers)
}
