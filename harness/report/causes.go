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
		return in + trialText(d.Arm, *d.Record)
	}
	return in + fmt.Sprintf("%s, %s: wanted %s, got %s", printable.Line(d.Arm),
		printable.Line(d.Check.Name), printable.Line(d.Check.Want), printable.Line(d.Check.Got))
}

// weightNote says why a cause fails nothing, or how a target's choice is declared.
func weightNote(f results.Found, i results.Info) string {
	switch f.Weight {
	case results.Declared:
		return fmt.Sprintf("The dialect declares it (%s), so it fails nothing.", f.Choice)
	case results.Forgiven:
		return "Waivers accept it."
	case results.Shown:
		return fmt.Sprintf("It is shown and fails nothing: --level=%s would make it fail.", f.Level)
	}
	if f.Choice != "" {
		return fmt.Sprintf("If your daemon means to do so, its dialect declares it: declares: [%s]",
			f.Choice)
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

// causes writes them before anything else: who has one defect reads it first, in how many
// scenarios so ever it shows. What fails nothing is told in short.
func (s Style) causes(b *strings.Builder, run results.Run) {
	for i, c := range causesOf(run) {
		colour, texts := yellow, []string{c.Title, "in: " + c.Where, c.Note}
		if c.Fails {
			colour, texts = red, []string{c.Title, "hint: " + c.Look, "in: " + c.Where,
				"for example: " + c.Best, c.Note}
		}
		fmt.Fprintf(b, "%d. %s: %s\n", i+1, s.paint(colour, c.Word()), s.paint(bold, c.ID))
		for _, text := range texts {
			if text != "" {
				b.WriteString(printable.Wrap(text, s.width(), "   "))
			}
		}
		if c.Fails {
			fmt.Fprintf(b, "   repeat with: %s\n", c.Repeat)
		}
		b.WriteByte('\n')
	}
}

// recap names the causes again beside the verdict, which may be far below them.
func recap(run results.Run) string {
	var texts []string
	for _, f := range run.Causes {
		if f.Weight == results.Fails {
			texts = append(texts, fmt.Sprintf("%s (%s)", printable.Line(f.ID),
				printable.Plural(len(f.Scenarios), "scenario")))
		}
	}
	if len(texts) == 0 {
		return ""
	}
	text := "causes, described above: " + strings.Join(texts, ", ")
	if open := undecided(run); len(open) > 0 {
		text += "; nothing is proved by " + strings.Join(open, ", ")
	}
	return text
}

// undecided are the scenarios that prove nothing.
func undecided(run results.Run) []string {
	var open []string
	for _, f := range run.Findings {
		if f.Verdict == trial.Inconclusive {
			open = append(open, printable.Line(f.ID))
		}
	}
	return open
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

// byCauses is the headline of a run that failed: how many causes there are, and the worst
// of them. Without a cause it names the scenarios.
func byCauses(run results.Run, failed []string, of string) string {
	n := 0
	for _, f := range run.Causes {
		if f.Weight == results.Fails {
			n++
		}
	}
	scenarios := fmt.Sprintf("%d of %s", len(failed), of)
	switch n {
	case 0:
		return fmt.Sprintf("%s failed: %s.", scenarios, strings.Join(failed, ", "))
	case 1:
		return fmt.Sprintf("%s %s failed, for this one cause.",
			printable.Line(run.Causes[0].Title), scenarios)
	}
	return fmt.Sprintf("%s That is the worst of %d causes for which %s failed.",
		printable.Line(run.Causes[0].Title), n, scenarios)
}
