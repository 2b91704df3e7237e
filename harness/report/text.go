package report

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// wrap breaks trusted text at spaces into lines of at most width columns, each
// behind the indent.
func wrap(s string, width int, indent string) string {
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

// percent writes a rate with two digits that count, and 0% and 100% only for
// rates that are just that.
func percent(rate float64) string {
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

// plural counts things in words: "1 trial", "3 trials".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// factorText names a factor that is not 1, behind a seed.
func factorText(factor float64) string {
	if factor == 0 || factor == 1 {
		return ""
	}
	return fmt.Sprintf(", factor %.2g", factor)
}
