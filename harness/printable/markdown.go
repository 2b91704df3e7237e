package printable

import "strings"

// escapes keeps untrusted text from being markup, a link, a mention, a formula,
// a table border or a line. CommonMark lets a backslash stand before any ASCII
// punctuation (2.4).
var escapes = strings.NewReplacer("\\", "\\\\", "|", `\|`, "<", "&lt;", ">", "&gt;", "&", "&amp;",
	"\n", " ",
	"`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "@", `\@`, "#", `\#`, "$", `\$`, "~",
	`\~`, "!", `\!`, "://", `\://`, "www.", `www\.`)

// Cell is Text for a cell of a Markdown table, or anywhere else in Markdown.
func Cell(s string) string { return escapes.Replace(Text(s)) }
