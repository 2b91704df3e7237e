package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// cause is one that a run has found, as all reports tell of it.
type cause struct {
	ID, Level, Title, Look string
	Where                  string // the scenarios in which it showed
	Best                   string // what shows it best
	Note                   string // why it fails nothing, or how to declare it
	Repeat                 string
	Anchor                 string // of the trial that shows it best; empty for a check
	Fails                  bool
}

// causesOf are what the run has found, the worst first.
func causesOf(run results.Run) []cause {
	all := make([]cause, len(run.Causes))
	for i, f := range run.Causes {
		all[i] = cause{
			ID:     printable.Line(f.ID),
			Level:  string(f.Level),
			Title:  printable.Line(f.Title),
			Look:   printable.Line(f.Look),
			Where:  where(f.Scenarios),
			Best:   best(f.Best),
			Note:   weightNote(f, run.Info),
			Repeat: printable.Line(run.Repeat(f.Best.Scenario)),
			Fails:  f.Weight == results.Fails,
		}
		if shownOnPage(run, f.Best) {
			all[i].Anchor = anchor(f.Best.Scenario, f.Best.Arm, f.Best.Record.Index)
		}
	}
	return all
}

// shownOnPage says whether the page has the trial: of each arm it has the first bad ones.
func shownOnPage(run results.Run, d results.Defect) bool {
	if d.Record == nil {
		return false
	}
	for _, f := range run.Findings {
		for _, a := range f.Arms {
			if f.ID == d.Scenario && a.Plan.Arm == d.Arm {
				return slices.ContainsFunc(a.Bad,
					func(r trial.Record) bool { return r.Index == d.Record.Index })
			}
		}
	}
	return false
}

// where names the scenarios, each with what went wrong in it.
func where(scenarios []results.Showing) string {
	texts := make([]string, len(scenarios))
	for i, s := range scenarios {
		text := printable.Line(s.Scenario)
		if s.Trials > 0 {
			text += fmt.Sprintf(" (%d of %d)", s.Bad, s.Trials)
		}
		texts[i] = text
	}
	return strings.Join(texts, ", ")
}

// best is the trial or the check that shows a cause best.
func best(d results.Defect) string {
	in := printable.Line(d.Scenario) + ", "
	if d.Record != nil {
		text := in + trialText(d.Arm, *d.Record)
		if d.Complaint != "" {
			text += "; the daemon's log has: " + printable.Line(d.Complaint)
		}
		return text
	}
	return in + fmt.Sprintf("%s, %s: wanted %s, got %s", printable.Line(d.Arm),
		printable.Line(d.Check.Name), printable.Line(d.Check.Want), printable.Line(d.Check.Got))
}

// weightNote says why a cause fails nothing, or how a target's choice is declared.
func weightNote(f results.Found, i results.Info) string {
	switch f.Weight {
	case results.Declared:
		return fmt.Sprintf("It is declared (%s), so it fails nothing.", f.Choice)
	case results.Forgiven:
		return "Waivers accept it."
	case results.Shown:
		return fmt.Sprintf("It is shown and fails nothing: --level=%s would make it fail.", f.Level)
	}
	if f.Choice != "" {
		return fmt.Sprintf("If your daemon means to do so, declare it: declares: [%s] in its "+
			"dialect, or --declare=%[1]s beside --driver or --exec", f.Choice)
	}
	return ""
}

// Word is the cause's level, and that it fails nothing.
func (c cause) Word() string {
	switch {
	case c.Level == "":
		return "failure"
	case c.Fails || c.Level == string(trial.Advice):
		return c.Level
	}
	return c.Level + ", fails nothing"
}

// notJudged says what a scenario showed that fails nothing; empty for nothing.
func notJudged(f results.Finding) string {
	var texts []string
	seen := map[string]bool{}
	for _, a := range f.Arms {
		for _, d := range a.Defects {
			text := d.Cause.ID
			switch d.Weight {
			case results.Declared:
				text = "declared: " + text
			case results.Shown:
				text = string(d.Level) + ": " + text
			default:
				continue
			}
			if !seen[text] {
				seen[text] = true
				texts = append(texts, printable.Line(text))
			}
		}
	}
	return strings.Join(texts, ", ")
}
