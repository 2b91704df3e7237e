package main

import (
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/dialect"
)

// What a target says is shown to whoever asks, not done to the terminal.
func TestDialectCheckShowsWhatDoesNotPrint(t *testing.T) {
	const attack = "\x1b]0;mine\x07\r\u202e"
	var out strings.Builder
	all := []dialect.Attempt{{Asked: "success", Understood: "not understood: " + attack, Came: attack}}
	if err := showAttempts(&out, dialect.ProcessExecute(), all); err == nil {
		t.Error("nothing was understood, and that is no error")
	}
	if got := out.String(); strings.ContainsAny(got, "\x1b\x07\r\u202e") || strings.Count(got, `\x1b]0;mine\a\r\u202e`) != 2 {
		t.Errorf("%q", got)
	}
}
