package report

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Style says how the table is to look. The zero value is plain text in 100
// columns.
type Style struct {
	Colour bool
	Width  int
}

func (s Style) width() int {
	const usual, least = 100, 40
	if s.Width == 0 {
		return usual
	}
	return max(least, s.Width)
}

const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	bold   = "\x1b[1m"
	plain  = "\x1b[0m"
)

func (s Style) paint(colour, text string) string {
	if !s.Colour || colour == "" {
		return text
	}
	return colour + text + plain
}

var colours = map[trial.Verdict]string{trial.Pass: green, trial.Fail: red,
	trial.Inconclusive: yellow}

func (s Style) verdict(v trial.Verdict) string { return s.paint(colours[v], v.String()) }

// Table writes the run for a terminal or a log: the causes of what went wrong, the arms of
// each scenario, what the scenarios came to, and the verdict as the last line. Of a run that
// did not begin the problem is all that there is to read.
func Table(w io.Writer, run results.Run, style Style) error {
	var b strings.Builder
	if begun(run) {
		style.causes(&b, run)
		for _, f := range run.Findings {
			style.finding(&b, f)
		}
		style.legend(&b, run)
		style.verdicts(&b, run)
	} else {
		fmt.Fprintf(&b, "of %s none was run\n", printable.Plural(len(run.Findings), "scenario"))
	}
	style.summary(&b, run)
	if run.AllAccepted() {
		fmt.Fprintf(&b, "%s\n", allAcceptedNote)
	}
	if run.Info.Problem != "" {
		fmt.Fprintf(&b, "problem: %s\n", printable.Text(run.Info.Problem))
	}
	for _, text := range []string{recap(run), advice(run)} {
		if text != "" {
			b.WriteString(printable.Wrap(text, style.width(), ""))
		}
	}
	if run.Folder != "" {
		if run.Info.Problem != "" && begun(run) {
			fmt.Fprintf(&b, "to complete it: %s\n", printable.Line(run.Resume()))
		}
		fmt.Fprintf(&b, "report: %s\n", printable.Line(filepath.Join(run.Folder, "report.html")))
	}
	fmt.Fprintf(&b, "verdict: %s\n", style.verdict(run.Verdict))
	_, err := io.WriteString(w, b.String())
	return err
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

// advice says what an inconclusive run means, and what to try; empty for another.
func advice(run results.Run) string {
	if run.Verdict != trial.Inconclusive || run.AllAccepted() || !begun(run) {
		return ""
	}
	if run.Info.Shard != nil && run.Own == trial.Pass {
		return "inconclusive: this shard is done, and its own part passes. " +
			"What the plan comes to says `reapcheck merge` of all shards."
	}
	text := "inconclusive: nothing was found that fails the candidate, " +
		"and not everything could be tried. "
	open := undecided(run)
	if run.Info.Problem != "" || len(open) == 0 {
		return text + fmt.Sprintf("The problem above kept the run from its end, with %d of %s "+
			"undecided.", len(open), printable.Plural(len(run.Findings), "scenario"))
	}
	return text + fmt.Sprintf(
		"The reason of %s stands above. On a busy machine run what follows \"repeat with\" once "+
			"more; what this machine or this target cannot do, leave out: --skip %s.",
		strings.Join(open, ", "), strings.Join(open, ","))
}

// begun says whether any scenario has left a recording.
func begun(r results.Run) bool {
	return slices.ContainsFunc(r.Findings, func(f results.Finding) bool { return len(f.Arms) > 0 })
}

func (s Style) finding(b *strings.Builder, f results.Finding) {
	fmt.Fprintf(b, "%s: %s\n", s.paint(bold, printable.Line(f.ID)), s.verdict(f.Verdict))
	b.WriteString(printable.Wrap(printable.Line(f.Text), s.width(), "  "))
	if len(f.Arms) == 0 {
		fmt.Fprintf(b, "  %s\n\n", printable.Line(f.Reason))
		return
	}
	grid := armGrid(f, s.width()-2)
	if grid.faults != "" {
		b.WriteString(printable.Wrap("fault: "+grid.faults, s.width(), "  "))
	}
	for i, text := range grid.lines() {
		fmt.Fprintf(b, "  %s\n", s.paint(grid.colour(i), text))
	}
	for _, note := range []string{example(f), witnessNote(f)} {
		if note != "" {
			b.WriteString(printable.Wrap(note, s.width(), "  "))
		}
	}
	b.WriteByte('\n')
}

// exampleLimit bounds what a terminal shows of one bad trial's command, of what was asked for
// beside it, and of what came of it. The reports show more.
const exampleLimit = 160

// example is the first bad trial of an arm that had to be clean; empty where there
// is none.
func example(f results.Finding) string {
	for _, a := range f.Arms {
		if a.Plan.Claim != trial.Clean || len(a.Bad) == 0 {
			continue
		}
		return trialText(a.Plan.Arm, a.Bad[0])
	}
	return ""
}

// trialText is one bad trial in a sentence.
func trialText(arm string, r trial.Record) string {
	asked := fmt.Sprintf("%s, trial %d, %s: asked %q%s, ", printable.Line(arm), r.Index,
		printable.Line(string(r.Outcome)),
		printable.Escape(printable.Clip(r.Command, exampleLimit)), beside(r))
	if r.Outcome == trial.Hung { // whatever was wanted
		return asked + "no answer within " + printable.Micros(float64(r.Micros))
	}
	text := asked + fmt.Sprintf("wanted %s, got %s after %s", wanted(r), got(r),
		printable.Micros(float64(r.Micros)))
	if r.Detail != "" {
		text += fmt.Sprintf(" (%s)", printable.Line(printable.Clip(r.Detail, exampleLimit)))
	}
	return text
}

// wanted is what the trial's command was to give.
func wanted(r trial.Record) string {
	if r.Wanted != "" {
		return printable.Line(r.Wanted)
	}
	return fmt.Sprintf("exit code %d", r.Want)
}

// beside is what else was asked for, in brackets; empty where that is nothing.
func beside(r trial.Record) string {
	if r.Beside == "" {
		return ""
	}
	return fmt.Sprintf(" (%s)", printable.Line(printable.Clip(r.Beside, exampleLimit)))
}

func (s Style) legend(b *strings.Builder, run results.Run) {
	for _, text := range legend(run) {
		b.WriteString(printable.Wrap(text, s.width(), ""))
	}
	b.WriteByte('\n')
}

func (s Style) verdicts(b *strings.Builder, run results.Run) {
	idWidth := 0
	for _, f := range run.Findings {
		idWidth = max(idWidth, utf8.RuneCountInString(printable.Line(f.ID)))
	}
	for _, f := range run.Findings {
		pad := strings.Repeat(" ", len("inconclusive")-len(f.Verdict.String()))
		fmt.Fprintf(b, "%s%s  %-*s  %s\n", s.verdict(f.Verdict), pad, idWidth, printable.Line(f.ID),
			sentence(f))
		if note := waiverNote(f); note != "" {
			b.WriteString(printable.Wrap(note, s.width(), "  "))
		}
		if f.Verdict == trial.Inconclusive && len(f.Arms) > 0 {
			fmt.Fprintf(b, "  repeat with: %s\n", printable.Line(run.Repeat(f.ID)))
		}
	}
	for _, note := range run.Info.Notes() {
		b.WriteString(printable.Wrap(note, s.width(), ""))
	}
}

func (s Style) summary(b *strings.Builder, run results.Run) {
	fmt.Fprintf(b, "%s, tier %s, seed %d%s, %s\n", printable.Line(run.Info.Runtime),
		printable.Line(run.Info.Tier), run.Info.Seed, factorText(run.Info.Factor), printable.Plural(
			run.Trials(), "trial"))
}

// sentence is what a scenario came to, in one line.
func sentence(f results.Finding) string {
	if f.Verdict != trial.Pass {
		reason, _, _ := strings.Cut(f.Reason, "\n")
		return printable.Line(reason)
	}
	candidate, also := f.Tally(trial.Candidate), notJudged(f)
	switch {
	case also != "":
		return also
	case candidate.Trials == 0:
		return "all checks hold"
	}
	text := fmt.Sprintf("%d bad of %d, upper95 %s", candidate.Bad, candidate.Trials,
		printable.Percent(trial.Upper95(candidate.Bad, candidate.Trials)))
	if power, ok := f.Power(); ok {
		base := f.Tally(trial.Baseline)
		text += fmt.Sprintf("; baseline lost %s, power %s",
			printable.Percent(trial.Rate(base.Lost, base.Trials)), printable.Percent(power))
	}
	return text
}
