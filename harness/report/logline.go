package report

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/printable"
)

// logLine is one line of a target's log. What is not slog's text format has no
// time and no attributes, only its text.
type logLine struct {
	text  string // as it stood
	at    time.Time
	attrs map[string]string
}

// parseLog reads a log. A line longer than what a report shows is cut: it is
// evidence for nothing but itself.
func parseLog(log []byte) []logLine {
	var lines []logLine
	for raw := range bytes.Lines(log) {
		text := printable.Clip(string(bytes.TrimRight(raw, "\r\n")), printable.Limit)
		l := logLine{text: text, attrs: parseAttrs(text)}
		if at, err := time.Parse(time.RFC3339Nano, l.attrs["time"]); err == nil {
			l.at = at
		}
		lines = append(lines, l)
	}
	return lines
}

// parseAttrs reads key=value pairs as slog.TextHandler writes them, values
// quoted as Go strings where they need it, and stops at anything else.
func parseAttrs(text string) map[string]string {
	attrs := map[string]string{}
	for text != "" {
		key, rest, ok := strings.Cut(text, "=")
		if !ok || key == "" || strings.ContainsAny(key, " \"") {
			return attrs
		}
		value, after, _ := strings.Cut(rest, " ")
		if strings.HasPrefix(rest, `"`) {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return attrs
			}
			value, _ = strconv.Unquote(quoted)
			after = strings.TrimPrefix(rest[len(quoted):], " ")
		}
		attrs[key] = value
		text = after
	}
	return attrs
}
