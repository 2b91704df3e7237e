package compare

import (
	"fmt"
	"math"
	"strings"

	"github.com/reapcheck/reapcheck/harness/printable"
)

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
