package dialect

import (
	"strings"
	"testing"
)

func TestHints(t *testing.T) {
	unknown := Dialect{}
	minus := -1
	unknown.Words.Unknown = []Condition{{ExitCode: &minus}}
	for name, c := range map[string]struct {
		e    Attempt
		d    Dialect
		want string
	}{
		"no shell":       {Attempt{Heard: true, Understood: `exit code 0, output "reap check; exit 7\n"`}, Dialect{}, "commands: words"},
		"-1":             {Attempt{Heard: true, Understood: `exit code -1, output ""`}, Dialect{}, "words.unknown"},
		"a told -1":      {Attempt{Heard: true, Understood: `exit code -1, output ""`}, unknown, ""},
		"-9":             {Attempt{Heard: true, Script: "kill -9 $$", Understood: `exit code -9, output ""`}, Dialect{}, "words.signal"},
		"something else": {Attempt{Heard: true, Understood: `exit code 0, output ""`}, Dialect{}, ""},
		"right":          {Attempt{Heard: true, OK: true, Understood: `exit code -1, output ""`}, Dialect{}, ""},
	} {
		if got := c.e.Hint(c.d); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
