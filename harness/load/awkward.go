package load

import (
	"math/rand/v2"
	"strings"
)

// awkward are pieces of text that somebody has a reason to change, to hide, to obey or to take
// for his own: white space, control characters, what a shell, printf(3), JSON, HTML, a URL, HTTP,
// Server-Sent Events or a terminal gives a meaning, and characters that look like others.
var awkward = []string{
	" ", "  ", "\t", "\n", "\r\n", "\r", "\v\f", "\b", "\a", "\x04", "\x1a", "\x1e", "\x7f",
	"\x1b[1m", "\x1b[2K", "\x1b]0;t\x07", "\u0085", "\u00a0", "\u2028", "\u200b", "\ufeff", "\ufffd",
	"ä", "a\u0308", "ß", "İ", "ﬀ", "½", "☕", "😀", "\U0010ffff", "שלום", "\u202e",
	"'", `"`, "`", `\`, `\\`, `\n`, `\t`, `\u0041`, `\x41`, `\0`, "$", "$HOME", "${HOME}", "$(:)",
	"$$", "!!", "*", "?", "[a-z]", "~", "{a,b}", "#", ";", "&", "&&", "|", "<", ">", "%", "%s", "%d",
	"%n", "%%", "%41", "+", "=", "A=b", "&amp;", "<b>", "]]>", "{{.}}", "{}", "{0}", "[]", "null",
	"true", "0x1f", "007", "1e3", "-n", "-e x", "--", "//", "/*", "../", `c:\`, ",", "a,b", ":", "a: b",
	"- a", "---", "...", "@", "^", "\n\n", "\n#", "\ndata: x\n\n", "\nevent: end\n", "\nid: 7\n",
	"HTTP/1.1 200 OK\r\n\r\n", "\r\n0\r\n\r\n", "\n.\n", "\nEOF\n", "password=x", "token: x",
	"Bearer x", "AKIA0000", "x@y.z", "127.0.0.1", "/tmp/x", "\nx\nx\nx", "a\n b\n  c",
}

// Awkward is a text of some awkward pieces, one of which may be repeated, in an order drawn
// from r. It has no NUL, which neither a command nor a variable can hold.
func Awkward(r *rand.Rand) string {
	var text strings.Builder
	for range 4 + r.IntN(12) {
		times := 1
		if r.IntN(4) == 0 {
			times += r.IntN(8)
		}
		text.WriteString(strings.Repeat(awkward[r.IntN(len(awkward))], times))
		if r.IntN(2) == 0 {
			text.WriteString(nonce(r)[:3])
		}
	}
	return text.String()
}
