package compare

import (
	"fmt"
	"strings"

	"github.com/reapcheck/reapcheck/harness/printable"
)

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
	text.WriteString("| | A | B | change | 99 % interval | A against itself |\n" +
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
