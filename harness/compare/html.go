package compare

import (
	"bytes"
	_ "embed" // for the page's template and style
	"fmt"
	"html/template"
	"math"

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
