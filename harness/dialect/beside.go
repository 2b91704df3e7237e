package dialect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/printable"
)

// Beside is what the request has beside its script, in words for who wants to ask the same by
// hand; empty where it has nothing. Long texts are cut.
func (r Request) Beside() string {
	var all []string
	add := func(is bool, form string, of ...any) {
		if is {
			all = append(all, fmt.Sprintf(form, of...))
		}
	}
	add(r.Cwd != "", "folder %s", cut(r.Cwd))
	for _, name := range slices.Sorted(maps.Keys(r.Env)) {
		add(true, "%s=%s", cut(name), cut(r.Env[name]))
	}
	if r.Stdin != nil {
		add(true, "input of %d bytes", len(*r.Stdin))
	}
	add(r.Timeout > 0, "timeout %v", r.Timeout)
	add(r.Way != "", "asked %s", r.Way)
	add(r.Behind != "", "%d bytes behind the request", len(r.Behind))
	add(r.HalfClose, "sending side closed")
	add(r.HangUpAfter > 0, "client gone after %v", r.HangUpAfter)
	add(r.Reset, "by a reset")
	return strings.Join(all, ", ")
}

// cut shortens a text for a sentence.
func cut(s string) string { return printable.Clip(s, 40) }
