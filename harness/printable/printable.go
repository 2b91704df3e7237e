// Package printable makes words that are not ours safe to look at, in a terminal, a
// log or a report: a target may have said anything.
//
// Line and Text are the front door; Escape is for text whose length is known.
package printable

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limit bounds, in bytes, one piece of foreign text in a report. The whole stands in
// the recording.
const Limit = 2 << 10

// Text is foreign text as a report shows it: escaped, and no longer than Limit.
func Text(s string) string { return Escape(Clip(s, Limit)) }

// Line is Text without line ends.
func Line(s string) string {
	return strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(Text(s))
}

// Clip cuts s to about limit bytes, between two runes, and says what is
// missing.
func Clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	at := limit
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return fmt.Sprintf("%s... (%d bytes more)", s[:at], len(s)-at)
}

// Escape shows what does not print (escape sequences, marks that turn the reading
// direction, bytes that are not UTF-8) as Go escapes. Line ends and tabs stay.
func Escape(s string) string {
	if isClean(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case printable(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
		s = s[size:]
	}
	return b.String()
}

func isClean(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !printable(r) }) < 0
}

func printable(r rune) bool { return r == '\n' || r == '\t' || strconv.IsPrint(r) }
