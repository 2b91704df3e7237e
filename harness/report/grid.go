package report

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// grid is one scenario's arms as rows of text. Only columns that say something
// are there.
type grid struct {
	faults  string // what the faults of all arms have in common
	rows    [][]string
	right   []bool // columns aligned to the right
	verdict []trial.Verdict
}

// column is a heading and what stands below it.
type column struct {
	name  string
	right bool
	shown bool
	cell  func(a results.Arm) string
}

// sheds are the columns that a narrow terminal does without, the first one
// first.
var sheds = []string{"rate", "checks", "fault", "hits", "upper95"}

// armGrid makes the grid no wider than width, where leaving out what sheds
// names can do that.
func armGrid(f results.Finding, width int) grid {
	shared, own := splitFaults(f.Arms)
	columns := slices.DeleteFunc(columnsFor(f.Arms, own), func(c column) bool { return !c.shown })
	g := newGrid(columns, f.Arms)
	for _, name := range sheds {
		if g.width() <= width {
			break
		}
		columns = slices.DeleteFunc(columns, func(c column) bool { return c.name == name })
		g = newGrid(columns, f.Arms)
	}
	g.faults = shared
	return g
}

func newGrid(columns []column, arms []results.Arm) grid {
	g := grid{rows: make([][]string, len(arms)+1)}
	for _, c := range columns {
		g.right = append(g.right, c.right)
		g.rows[0] = append(g.rows[0], c.name)
		for i, a := range arms {
			g.rows[i+1] = append(g.rows[i+1], c.cell(a))
		}
	}
	for _, a := range arms {
		v, _ := a.Judge()
		g.verdict = append(g.verdict, v)
	}
	return g
}

func (g *grid) width() int {
	widest := 0
	for _, l := range g.lines() {
		widest = max(widest, utf8.RuneCountInString(l))
	}
	return widest
}

func columnsFor(arms []results.Arm, own map[string]string) []column {
	faulty := slices.ContainsFunc(arms, func(a results.Arm) bool { return a.Plan.Fault != "" })
	tried := slices.ContainsFunc(arms, func(a results.Arm) bool { return a.Trials > 0 })
	varied := slices.ContainsFunc(arms, func(a results.Arm) bool { return own[a.Plan.Fault] != "" })
	columns := []column{
		{"arm", false, true, func(a results.Arm) string { return printable.Line(a.Plan.Arm) }},
		{"fault", false, varied,
			func(a results.Arm) string { return cmp.Or(own[a.Plan.Fault], "-") }},
		{"hits", true, faulty, hits},
		{"trials", true, tried, func(a results.Arm) string { return count(a, a.Trials) }},
	}
	for _, o := range badOutcomes {
		seen := slices.ContainsFunc(arms, func(a results.Arm) bool { return a.Counts[o] > 0 })
		columns = append(columns, column{string(o), true, seen,
			func(a results.Arm) string { return count(a, a.Counts[o]) }})
	}
	checked := slices.ContainsFunc(arms, tellsByChecks)
	return append(columns,
		column{"rate", true, tried,
			func(a results.Arm) string { return ratio(a, trial.Rate(a.BadTrials(), a.Trials)) }},
		column{"upper95", true, tried,
			func(a results.Arm) string { return ratio(a, trial.Upper95(a.BadTrials(), a.Trials)) }},
		column{"checks", true, checked, checks},
		column{"", false, true, promise})
}

func hits(a results.Arm) string {
	if a.Plan.Fault == "" {
		return "-"
	}
	return strconv.FormatInt(a.End.FaultHits, 10)
}

// count and ratio leave arms without trials empty: a 0 there would look like a
// result.
func count(a results.Arm, n int) string {
	if a.Trials == 0 && a.Plan.Trials == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

func ratio(a results.Arm, r float64) string {
	if a.Trials == 0 {
		return "-"
	}
	return printable.Percent(r)
}

// tellsByChecks says whether the arm's checks have to be shown.
func tellsByChecks(a results.Arm) bool { return len(a.FailedChecks()) > 0 || a.Plan.Trials == 0 }

func checks(a results.Arm) string {
	if len(a.Checks) == 0 {
		return "-"
	}
	return fmt.Sprintf("%d/%d", len(a.Checks)-len(a.FailedChecks()), len(a.Checks))
}

// promise is what an arm has to show, and whether it did: a baseline that fails
// is a finding, not a fault.
func promise(a results.Arm) string {
	text := printable.Line(fmt.Sprintf("claims %q", a.Plan.Claim))
	if must := a.Plan.Must(); must != "" {
		text = "must " + must + by(a.Plan.By)
	} else if a.Plan.Claim == trial.NoClaim {
		text = "shown, not judged"
	}
	if a.Plan.Role == trial.Baseline {
		text = "baseline: " + text
	}
	switch v, _ := a.Judge(); {
	case v != trial.Pass:
		text += " [" + v.String() + "]"
	case len(a.Defects) > 0:
		text += " [fails nothing]"
	}
	return text
}

// by says what a baseline that must misbehave is known by, so that a rate of 0 beside
// it is no riddle.
func by(symptoms []trial.Symptom) string {
	checks := 0
	for _, y := range symptoms {
		if y.OfCheck() {
			checks++
		}
	}
	switch {
	case checks == 0 && len(symptoms) == 1:
		return " by " + printable.Line(string(symptoms[0]))
	case checks == 1 && len(symptoms) == 1:
		return " by a check"
	case checks > 0:
		return " by " + printable.Plural(checks, "check")
	}
	return ""
}

// lines are the rows with their columns aligned.
func (g *grid) lines() []string {
	widths := make([]int, len(g.right))
	for _, row := range g.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	lines := make([]string, len(g.rows))
	for n, row := range g.rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = pad(cell, widths[i], g.right[i])
		}
		lines[n] = strings.TrimRight(strings.Join(cells, "  "), " ")
	}
	return lines
}

func pad(s string, width int, right bool) string {
	space := strings.Repeat(" ", width-utf8.RuneCountInString(s))
	if right {
		return space + s
	}
	return s + space
}

// colour of a line; the headings have none.
func (g *grid) colour(line int) string {
	if line == 0 || g.verdict[line-1] == trial.Pass {
		return ""
	}
	return colours[g.verdict[line-1]]
}

// splitFaults takes the words that all faults begin with, so that each row
// need only name its own.
func splitFaults(arms []results.Arm) (shared string, own map[string]string) {
	var names [][]string
	for _, a := range arms {
		if a.Plan.Fault != "" {
			names = append(names, strings.Fields(printable.Line(a.Plan.Fault)))
		}
	}
	own = map[string]string{}
	if len(names) == 0 {
		return "", own
	}
	n := commonPrefix(names)
	for _, a := range arms {
		if words := strings.Fields(printable.Line(a.Plan.Fault)); len(words) > 0 {
			own[a.Plan.Fault] = strings.Join(words[n:], " ")
		}
	}
	return strings.Join(names[0][:n], " "), own
}

func commonPrefix(names [][]string) int {
	n := len(names[0])
	for _, name := range names[1:] {
		same := 0
		for same < min(n, len(name)) && name[same] == names[0][same] {
			same++
		}
		n = same
	}
	return n
}
