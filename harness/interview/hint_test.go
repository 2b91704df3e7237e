package interview

import (
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/target"
)

func TestHints(t *testing.T) {
	unknown := target.Dialect{}
	minus := -1
	unknown.Words.Unknown = []target.Condition{{ExitCode: &minus}}
	for name, c := range map[string]struct {
		e    Exchange
		d    target.Dialect
		want string
	}{
		"no shell":       {Exchange{Heard: true, Understood: `exit code 0, output "reap check; exit 7\n"`}, target.Dialect{}, "commands: words"},
		"-1":             {Exchange{Heard: true, Understood: `exit code -1, output ""`}, target.Dialect{}, "words.unknown"},
		"a told -1":      {Exchange{Heard: true, Understood: `exit code -1, output ""`}, unknown, ""},
		"-9":             {Exchange{Heard: true, Script: "kill -9 $$", Understood: `exit code -9, output ""`}, target.Dialect{}, "words.signal"},
		"something else": {Exchange{Heard: true, Understood: `exit code 0, output ""`}, target.Dialect{}, ""},
		"right":          {Exchange{Heard: true, OK: true, Understood: `exit code -1, output ""`}, target.Dialect{}, ""},
	} {
		if got := c.e.Hint(c.d); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
