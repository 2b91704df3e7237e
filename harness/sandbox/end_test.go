package sandbox

import "testing"

func TestExitWords(t *testing.T) {
	for status, want := range map[int64]string{
		0:   "exit status 0",
		128: "exit status 128",
		137: "exit status 137 (as after signal 9, killed)",
		143: "exit status 143 (as after signal 15, terminated)",
		255: "exit status 255",
	} {
		if got := ExitWords(status); got != want {
			t.Errorf("%d: %q", status, got)
		}
	}
}
