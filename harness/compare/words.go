package compare

import (
	"fmt"
	"math"

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
