package compare

import (
	"fmt"
	"math"
	"strings"

	"github.com/reapcheck/reapcheck/harness/printable"
)

// Sentence says what became of a figure.
func (d Difference) Sentence() string {
	switch d.Word {
	case Unknown:
		return d.Name + ": " + d.Why
	case Same:
		return fmt.Sprintf("%s: the same within %s", d.Name, percent(d.Within))
	}
	return fmt.Sprintf("%s: %s by %s (%s), %s instead of %s", d.Name, d.Says,
		percent(d.Change.Middle), d.Change.span(), d.Unit.text(d.B), d.Unit.text(d.A))
}

// span is what a change lies between, without its sign.
func (i Interval) span() string {
	low, high := math.Abs(i.Low), math.Abs(i.High)
	return percent(min(low, high)) + " to " + percent(max(low, high))
}

// percent shows a share without its sign.
func percent(share float64) string {
	p := 100 * math.Abs(share)
	if p >= 10 || math.IsInf(p, 0) {
		return fmt.Sprintf("%.0f %%", p)
	}
	return fmt.Sprintf("%.1f %%", p)
}

// signed shows a share with its sign.
func signed(share float64) string {
	if share < 0 {
		return "-" + percent(share)
	}
	return "+" + percent(share)
}

func (u Unit) text(v float64) string {
	switch u {
	case Micros:
		return printable.Micros(v)
	case Bytes:
		return fmt.Sprintf("%.1f MiB", v/(1<<20))
	}
	return fmt.Sprintf("%.0f%s", v, u)
}

// worse says whether B gave wrong answers more often than A does.
func (a Answers) worse() bool {
	if a.OfA == 0 || a.OfB == 0 {
		return false
	}
	if a.BadA == 0 {
		return a.BadB > 0
	}
	// Both lose some by chance: three standard deviations of what A loses.
	expected := float64(a.BadA) / float64(a.OfA) * float64(a.OfB)
	return float64(a.BadB) > expected+3*math.Sqrt(2*expected)
}

// String is for people.
func (a Answers) String() string {
	text := fmt.Sprintf("answers that were not right: %d of %d of B, %d of %d of A", a.BadB, a.OfB,
		a.BadA, a.OfA)
	if a.WhyB != "" && a.worse() {
		text += ": " + a.WhyB
	}
	return text
}

// Headline is the report in a sentence.
func (r *Report) Headline() string {
	same, better, worse := 0, 0, 0
	for _, d := range r.Differences {
		switch d.Word {
		case Same:
			same++
		case Better:
			better++
		case Worse:
			worse++
		}
	}
	text := fmt.Sprintf("Of %s %d the same within the noise, %d better and %d worse",
		printable.Plural(len(r.Differences), "figure"), same, better, worse)
	if len(r.Differences) == 0 {
		text = "No figure was measured"
	}
	if len(r.Scenarios) > 0 {
		counts := map[Change]int{}
		for _, s := range r.Scenarios {
			counts[s.Change]++
		}
		text += fmt.Sprintf("; of %s %d mended, %d new failures, %d the same",
			printable.Plural(len(r.Scenarios), "scenario"), counts[Mended], counts[New],
			counts[Unchanged])
	}
	return text + "."
}

// Markdown is compare.md, for a job summary: the verdict, why, and one table.
func (r *Report) Markdown() string {
	var text strings.Builder
	fmt.Fprintf(&text, "# reapcheck compare: %v\n\n%s\n\n", r.Verdict, r.Headline())
	for _, reason := range r.Reasons {
		fmt.Fprintf(&text, "- **%s**\n", printable.Cell(reason))
	}
	if len(r.Reasons) > 0 {
		text.WriteString("\n")
	}
	fmt.Fprintf(&text, "A: %s. B: %s. %s of worse is tolerated.\n\n", printable.Cell(r.A),
		printable.Cell(r.B),
		percent(r.Tolerate))
	r.figureTable(&text)
	r.scenarioTable(&text)
	for _, what := range r.LeftOut {
		fmt.Fprintf(&text, "Left out: %s.\n\n", printable.Cell(what))
	}
	fmt.Fprintf(&text, "%s, runtime %s, %s, %d CPUs, seed %d. `%s`\n", r.Version, r.Runtime,
		r.Kernel, r.CPUs, r.Seed, strings.ReplaceAll(strings.Join(r.Argv, " "), "`", "'"))
	return text.String()
}

func (r *Report) figureTable(text *strings.Builder) {
	rows := r.figureRows()
	if len(rows) == 0 {
		return
	}
	text.WriteString("| | A | B | change | 99.99 % interval | A against itself |\n" +
		"|---|---|---|---|---|---|\n")
	for _, row := range rows {
		for i := range row {
			row[i] = printable.Cell(row[i])
		}
		fmt.Fprintf(text, "| %s |\n", strings.Join(row, " | "))
	}
	text.WriteString("\n")
}

// figureRows are those of the table: each figure, and what is left behind.
func (r *Report) figureRows() (rows [][]string) {
	for _, d := range r.Differences {
		row := []string{d.Name, d.Unit.text(d.A), d.Unit.text(d.B), d.Why, "", ""}
		if d.Word != Unknown {
			row[3] = fmt.Sprintf("%s, %s", signed(d.Change.Middle), d.Says)
			row[4] = signed(d.Change.Low) + " to " + signed(d.Change.High)
			row[5] = signed(d.NoiseA.Low) + " to " + signed(d.NoiseA.High)
		}
		rows = append(rows, row)
	}
	if l := r.Leaks; l != nil {
		each := func(s Slope) string { return fmt.Sprintf("%.0f bytes", s.Middle) }
		says := map[Word]string{Same: "the same", Worse: "leaks more", Better: "leaks less",
			Unknown: "too few looks to say"}[l.Word]
		rows = append(rows, []string{
			"memory that a command leaves behind", each(l.EachA), each(l.EachB), says,
			fmt.Sprintf("%.0f to %.0f bytes", l.EachB.Low, l.EachB.High), each(l.EachAgain),
		})
	}
	if a := r.Answers; a.OfB > 0 {
		rows = append(rows, []string{"answers that were not right",
			fmt.Sprintf("%d of %d", a.BadA, a.OfA), fmt.Sprintf("%d of %d", a.BadB, a.OfB), "", "",
			""})
	}
	return rows
}

// scenarioTable shows what is not the same, and counts the rest.
func (r *Report) scenarioTable(text *strings.Builder) {
	if len(r.Scenarios) == 0 {
		return
	}
	same := 0
	text.WriteString("| scenario | A | B | |\n|---|---|---|---|\n")
	for _, s := range r.Scenarios {
		if s.Change == Unchanged {
			same++
			continue
		}
		why := s.ReasonB
		if s.Change == Mended {
			why = s.ReasonA
		}
		fmt.Fprintf(text, "| %s | %v | %v | %s: %s |\n", printable.Cell(s.ID), s.A, s.B, s.Change,
			printable.Cell(why))
	}
	fmt.Fprintf(text, "| %s more | | | the same |\n\n", printable.Plural(same, "scenario"))
}
