package report

import (
	"fmt"
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
		if r := f.Best.Record; r != nil {
			all[i].Anchor = anchor(f.Best.Scenario, f.Best.Arm, r.Index)
		}
	}
	return all
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
// scenarios so ever it shows.
func (s Style) causes(b *strings.Builder, run results.Run) {
	for i, c := range causesOf(run) {
		colour := yellow
		if c.Fails {
			colour = red
		}
		fmt.Fprintf(b, "%d. %s: %s\n", i+1, s.paint(colour, c.Word()), s.paint(bold, c.ID))
		for _, text := range []string{c.Title, "hint: " + c.Look, "in: " + c.Where,
			"for example: " + c.Best, c.Note} {
			if text != "" {
				b.WriteString(printable.Wrap(text, s.width(), "   "))
			}
		}
		fmt.Fprintf(b, "   repeat with: %s\n\n", c.Repeat)
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
	return "causes, told of above: " + strings.Join(texts, ", ")
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

// worst is the first of the causes, for the headline; empty where there is none.
func worst(run results.Run) string {
	n := 0
	for _, f := range run.Causes {
		n += map[results.Weight]int{results.Fails: 1}[f.Weight]
	}
	switch n {
	case 0:
		return ""
	case 1:
		return " They have one cause: " + printable.Line(run.Causes[0].Title)
	}
	return fmt.Sprintf(" They have %d causes, and the worst is: %s", n,
		printable.Line(run.Causes[0].Title))
}
