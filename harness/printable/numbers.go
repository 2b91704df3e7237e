package printable

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Micros is Duration of microseconds.
func Micros(v float64) string { return Duration(time.Duration(v) * time.Microsecond) }

// Duration writes a duration with three digits that count.
func Duration(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= 100*unit {
			return d.Round(unit).String()
		}
		if d >= unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}

// Wrap breaks trusted text at spaces into lines of at most width columns, each
// behind the indent.
func Wrap(s string, width int, indent string) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case column == 0:
			b.WriteString(indent)
			column = len(indent)
		case column+1+n > width:
			b.WriteString("\n" + indent)
			column = len(indent)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String() + "\n"
}

// Percent writes a rate with two digits that count, and 0% and 100% only for
// rates that are just that.
func Percent(rate float64) string {
	p := 100 * rate
	switch {
	case rate == 0 || rate == 1:
		return fmt.Sprintf("%.0f%%", p)
	case p > 99.9:
		return ">99.9%"
	case p >= 99:
		return fmt.Sprintf("%.1f%%", p)
	case p >= 10:
		return fmt.Sprintf("%.0f%%", p)
	}
	return fmt.Sprintf("%.2g%%", p)
}

// Some joins names with commas; of more than most it names three, and counts the rest.
func Some(most int, names []string) string {
	const first = 3
	if len(names) <= max(most, first) {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:first], ", "), len(names)-first)
}

// Plural counts things in words: "1 trial", "3 trials".
func Plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
