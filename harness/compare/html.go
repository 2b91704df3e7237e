package compare

import (
	"bytes"
	_ "embed" // for the page's template and style
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/trial"
)

//go:embed page.html.tmpl
var pageTemplate string

//go:embed page.css
var pageStyle string

var pageHTML = template.Must(template.New("compare").Funcs(template.FuncMap{
	"css":   func() template.CSS { return template.CSS(pageStyle) },
	"clean": printable.Line,
}).Parse(pageTemplate))

// page is what the template draws: words, and positions. Escaping is the template's.
type page struct {
	*Report
	Headline  string
	Tolerated string
	Rows      []figureRow
	Curve     *curve
	Growth    *growth
	Changed   []Scenario
	Unchanged int
}

// figureRow is one figure with its rounds, as dots on a scale from Left to Right.
type figureRow struct {
	Name, A, B, Word, Class, Sentence string
	Left, Right                       string
	Zero, TolerateLow, TolerateHigh   float64
	Noises, Changes                   []dot
	Low, High, Middle                 float64
}

type dot struct{ X, Y float64 }

// HTML is the report as one page that needs nothing but itself.
func (r *Report) HTML() ([]byte, error) {
	p := page{
		Report: r, Headline: r.Headline(), Tolerated: percent(r.Tolerate),
		Curve: newCurve(r.Latencies), Growth: newGrowth(r.Leaks),
	}
	for _, d := range r.Differences {
		p.Rows = append(p.Rows, newFigureRow(d, r.Tolerate))
	}
	for _, s := range r.Scenarios {
		if s.Change == Unchanged {
			p.Unchanged++
		} else {
			p.Changed = append(p.Changed, s)
		}
	}
	var b bytes.Buffer
	if err := pageHTML.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("write compare.html: %w", err)
	}
	return b.Bytes(), nil
}

// VerdictClass is the verdict's colour.
func (p page) VerdictClass() string {
	switch p.Verdict {
	case trial.Pass:
		return "pass"
	case trial.Fail:
		return "fail"
	}
	return "inconclusive"
}

// narrowest is the least that half of a scale shows, so that noise of a thousandth does
// not look like a catastrophe.
const narrowest = 0.02

func newFigureRow(d Difference, tolerate float64) figureRow {
	half := max(narrowest, tolerate*1.2)
	for _, v := range append(append([]float64{d.Change.Low, d.Change.High}, d.Changes...),
		d.Noises...) {
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			half = max(half, math.Abs(v)*1.05)
		}
	}
	at := func(v float64) float64 { return 100 * (max(-half, min(half, v)) + half) / (2 * half) }
	row := figureRow{
		Name: d.Name, A: d.Unit.text(d.A), B: d.Unit.text(d.B), Word: d.Says,
		Class:    map[Word]string{Better: "pass", Worse: "fail", Same: "muted"}[d.Word],
		Sentence: d.Sentence(), Left: signed(-half), Right: signed(half),
		Zero: at(0), TolerateLow: at(-tolerate), TolerateHigh: at(tolerate),
		Low: at(d.Change.Low), High: at(d.Change.High), Middle: at(d.Change.Middle),
	}
	row.Noises, row.Changes = dots(d.Noises, at, 10), dots(d.Changes, at, 26)
	return row
}

// dots lie at two heights in turn, so that neighbours can be told apart.
func dots(values []float64, at func(float64) float64, y float64) (all []dot) {
	for i, v := range values {
		all = append(all, dot{at(v), y + float64(i%3)*2})
	}
	return all
}

// Width is that of what is tolerated.
func (r figureRow) Width() float64 { return r.TolerateHigh - r.TolerateLow }

// Sizes of the drawings, in their own units.
const (
	width  = 640.0
	height = 180.0
)

// curve is how many answers had come by when, on a logarithmic scale.
type curve struct {
	A, B  string // points of a polyline
	Marks []mark
}

type mark struct {
	At   float64
	Text string
}

func newCurve(l Latencies) *curve {
	if len(l.Percents) < 2 || len(l.A) != len(l.Percents) || len(l.B) != len(l.Percents) {
		return nil
	}
	low, high := math.Inf(1), 1.0
	for i := range l.Percents {
		for _, v := range []int64{l.A[i], l.B[i]} {
			low, high = min(low, float64(max(1, v))), max(high, float64(v))
		}
	}
	high = max(high, low*2)
	at := func(v float64) float64 {
		return width * math.Log(max(1, v)/low) / math.Log(high/low)
	}
	c := &curve{A: polyline(l.Percents, l.A, at), B: polyline(l.Percents, l.B, at)}
	for decade := math.Pow(10, math.Floor(math.Log10(low))); decade <= high; decade *= 10 {
		for _, step := range []float64{1, 2, 5} {
			if v := decade * step; v >= low && v <= high {
				c.Marks = append(c.Marks, mark{at(v), printable.Micros(v)})
			}
		}
	}
	return c
}

func polyline(percents []float64, values []int64, at func(float64) float64) string {
	var points strings.Builder
	for i, p := range percents {
		fmt.Fprintf(&points, "%.1f,%.1f ", at(float64(values[i])), height*(1-p/100))
	}
	return points.String()
}

// growth is the memory of three daemons by commands.
type growth struct {
	A, Again, B string
	Most, Last  string
}

func newGrowth(l *Leaks) *growth {
	if l == nil || l.B.executed() == 0 {
		return nil
	}
	all := []Growth{l.A, l.Again, l.B}
	most, last := 1, 1
	for _, g := range all {
		for i := range g.Memory {
			most, last = max(most, g.Memory[i]-g.Memory[0]), max(last, g.Commands[i])
		}
	}
	lines := make([]string, len(all))
	for n, g := range all {
		var points strings.Builder
		for i := range g.Memory {
			fmt.Fprintf(&points, "%.1f,%.1f ", width*float64(g.Commands[i])/float64(last),
				height*(1-float64(g.Memory[i]-g.Memory[0])/float64(most)))
		}
		lines[n] = points.String()
	}
	return &growth{
		A: lines[0], Again: lines[1], B: lines[2],
		Most: fmt.Sprintf("%.1f MiB more than at first", float64(most)/(1<<20)),
		Last: printable.Plural(last, "command"),
	}
}
