package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// lane is one row of the drawing, with the numbers of the moments on it.
type lane struct {
	Name     string
	From, To float64 // percent
	Points   []point
}

type point struct {
	X      float64
	Number int
}

// moment is one row of the list beside the drawing.
type moment struct {
	Number           int
	After, Who, What string
}

// draw puts events on lanes over a linear axis.
func draw(events []event) ([]lane, []moment) {
	last := events[len(events)-1].After
	names := []string{laneClient, laneWaiter, laneChild, laneReaper}
	lanes := make([]lane, len(names))
	var moments []moment
	for n, e := range events {
		// Room for the numbers at both ends.
		x := hundredths(4 + 92*float64(e.After)/float64(max(1, last)))
		moments = append(moments, moment{n + 1,
			"+" + printable.Duration(e.After.Round(100*time.Microsecond)), e.Lane, e.Text})
		for i, name := range names {
			lanes[i].Name = name
			if name == e.Lane {
				lanes[i].add(point{x, n + 1})
			}
		}
	}
	return lanes, moments
}

func (l *lane) add(p point) {
	if len(l.Points) == 0 {
		l.From = p.X
	}
	l.To = p.X
	l.Points = append(l.Points, p)
}

// mostTurns bounds a drawing; what comes after it stays in the recording.
const mostTurns = 60

// turns are the events of an order that are shown.
func turns(steps []trial.Step) []trial.Step { return steps[:min(mostTurns, len(steps))] }

// drawOrder puts an order's events on lanes, one beside the other: each was let go when
// nothing else moved, so that only their turn counts.
func drawOrder(steps []trial.Step) ([]lane, []moment) {
	steps = turns(steps)
	lanes := make([]lane, len(trial.Lanes))
	for i, name := range trial.Lanes {
		lanes[i].Name = name
	}
	var moments []moment
	for n, s := range steps {
		x := hundredths(4 + 92*float64(n)/float64(max(1, len(steps)-1)))
		moments = append(moments, moment{n + 1, printable.Line(s.Name), printable.Line(s.Lane),
			printable.Line(s.Text)})
		if i := slices.Index(trial.Lanes, s.Lane); i >= 0 {
			lanes[i].add(point{x, n + 1})
		}
	}
	return lanes, moments
}

// orderText is the same in lines of plain text, each with six spaces before it: two
// for the item of a list that it is in, four that make it a block of code (CommonMark 4.4).
func orderText(steps []trial.Step) string {
	var b strings.Builder
	for _, s := range turns(steps) {
		fmt.Fprintf(&b, "      %-8s %-12s %s\n", printable.Line(s.Lane), printable.Line(s.Name),
			printable.Line(s.Text))
	}
	return b.String()
}
