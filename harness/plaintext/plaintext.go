// Package plaintext makes a target's words safe to look at, in a terminal, a log or
// a report.
package plaintext

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Clean shows what does not print (escape sequences, marks that turn the reading
// direction, bytes that are no UTF-8) as Go escapes. Line ends and tabs stay.
func Clean(s string) string {
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
