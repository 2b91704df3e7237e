package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/reapcheck/reapcheck/harness/plaintext"
)

// clip cuts s to about limit bytes, between two runes, and says what is
// missing.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	at := limit
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return fmt.Sprintf("%s... (%d bytes more)", s[:at], len(s)-at)
}

// excerpt is untrusted text as a report shows it.
func excerpt(s string, limit int) string { return plaintext.Clean(clip(s, limit)) }

// textLimit bounds one piece of untrusted text in a report. The whole stands in
// the recording.
const textLimit = 2 << 10

// line is an excerpt without line ends.
func line(s string) string {
	return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(excerpt(s, textLimit))
}

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
