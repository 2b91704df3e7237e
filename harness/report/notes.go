package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// legend explains what the numbers of this run mean, in sentences.
func legend(run results.Run) []string {
	notes := []string{
		"baseline: an arm that must do what its row says, which is to fail as a rule; " +
			"if it does not, nothing was proved.",
		"upper95: with 95% confidence the true rate of bad trials lies below it (one-sided, " +
			"Clopper-Pearson).",
	}
	if slices.ContainsFunc(run.Findings, hasOnce) {
		notes = append(notes,
			"once: this baseline depends on a race, so it is tried until it has failed once; "+
				"its rate says nothing.")
	}
	if len(run.Findings) > 0 {
		notes = append(notes,
			"lost: -1, or the target's own word for unknown. wrong: another code. "+
				"output: bytes missing, or another command's. "+
				"error: an HTTP error where a result was due. hung: no answer by the deadline.")
		notes = append(notes,
			"hits: how often the fault really hit. checks: how many promises about the sandbox "+
				"as a whole were kept, of those looked at; a row can fail by one of them alone.")
	}
	notes = append(notes, searched(run)...)
	for _, f := range run.Findings {
		if _, ok := f.Power(); ok {
			notes = append(notes,
				"power: the chance that these trials would have shown a candidate that loses a "+
					"hundred times less often than the baseline.")
			break
		}
	}
	if start, n := run.Start(); n > 0 {
		notes = append(notes, fmt.Sprintf("start: a sandbox was ready after %v (%s, median of %d).",
			start.Round(time.Millisecond), printable.Line(run.Info.Runtime), n))
	}
	return notes
}

// searched says which orders the candidate stood, as its recording has it.
func searched(run results.Run) (notes []string) {
	for _, f := range run.Findings {
		for _, a := range f.Arms {
			if a.Plan.Role == trial.Candidate && a.End.Tried != "" {
				tried := printable.Line(a.End.Tried) + walked(a.Summary)
				notes = append(notes, printable.Line(f.ID)+": "+tried+".")
			}
		}
	}
	return notes
}

// walked says how many of an arm's orders were random walks; empty for none.
func walked(s trial.Summary) string {
	if s.Walks == 0 {
		return ""
	}
	return fmt.Sprintf("; where not every order was, %s from seed %d followed",
		printable.Plural(s.Walks, "random walk"), s.Plan.Seed)
}

func hasOnce(f results.Finding) bool {
	return slices.ContainsFunc(f.Arms, func(a results.Arm) bool { return a.Plan.UntilShown })
}

func got(r trial.Record) string {
	if r.Got == nil {
		return "no exit code"
	}
	return fmt.Sprint(*r.Got)
}

// factorText names a factor that is not 1, behind a seed.
func factorText(factor float64) string {
	if factor == 0 || factor == 1 {
		return ""
	}
	return fmt.Sprintf(", factor %.2g", factor)
}

// waiverNote says what the waiver does, in a sentence; empty where it does
// nothing.
func waiverNote(f results.Finding) string {
	switch f.Waived {
	case results.Accepted:
		return fmt.Sprintf("a known failure, accepted until %s: %s", printable.Line(f.Waiver.Until),
			printable.Text(f.Waiver.Reason))
	case results.Expired:
		return fmt.Sprintf("a known failure that was accepted until %s, which is over: %s",
			printable.Line(f.Waiver.Until), printable.Text(f.Waiver.Reason))
	case results.Exceeded:
		beyond := printable.Line(strings.Join(f.Waiver.Beyond(f.Ways()), ", "))
		return fmt.Sprintf("a known failure that fails in a way which is not accepted (%s): %s",
			beyond, printable.Text(f.Waiver.Reason))
	case results.Unneeded:
		return fmt.Sprintf("no longer fails: take its waiver out (until %s: %s)",
			printable.Line(f.Waiver.Until), printable.Text(f.Waiver.Reason))
	}
	return ""
}

// allAcceptedNote is for a run that is inconclusive for no other reason.
const allAcceptedNote = "every scenario that was run has a waiver, so nothing is proved"

// witnessNote says what the target does where the fault is held the other way,
// so that its waiter comes first; empty where that was not tried to its end, or
// where the fault never hit, so that no one was made to come first. It tells a race
// from a target that gives no codes whoever comes first, and claims no cause that
// the numbers do not bear out.
func witnessNote(f results.Finding) string {
	for _, a := range f.Arms {
		if a.Plan.Role == trial.Witness && (a.Trials != a.Plan.Trials || a.End.FaultHits == 0 ||
			a.End.Void != "" || a.End.FaultNote != "") {
			return ""
		}
	}
	w, c := f.Tally(trial.Witness), f.Tally(trial.Candidate)
	const begin = "The other way round, with the waiter first,"
	answers := printable.Plural(w.Trials, "answer")
	low, _ := trial.Interval95(c.Bad, c.Trials)
	switch {
	case w.Trials == 0 || c.Trials == 0:
		return ""
	case c.Bad == 0 && w.Bad == 0:
		return fmt.Sprintf("%s all %s were right too: neither order took a code from this target.",
			begin, answers)
	case trial.Upper95(w.Bad, w.Trials) < low:
		return fmt.Sprintf(
			"%s %d of %s were bad instead of %d of %d: the order decides, so it is the race.",
			begin, w.Bad, answers, c.Bad, c.Trials)
	case 2*w.Rate() < c.Rate():
		return fmt.Sprintf(
			"%s %d of %s were bad instead of %d of %d: too few to say whether the order decides.",
			begin, w.Bad, answers, c.Bad, c.Trials)
	case c.Bad > 0:
		return fmt.Sprintf("%s %d of %s were bad too: the race is not all that is wrong.", begin,
			w.Bad, answers)
	}
	return fmt.Sprintf("%s %d of %s were bad.", begin, w.Bad, answers)
}
