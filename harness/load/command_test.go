package load

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// A command that did not do what it is judged by would blame every target.
func TestCommandsDoWhatTheyPromise(t *testing.T) {
	for name, source := range map[string]Source{
		"instant": Instant, "every code": EveryCode, "sleep": Lasting(
			20 * time.Millisecond), "bulk": Bulk, "pipeline": Pipeline, "forks": Forks,
	} {
		for i := range 5 {
			c := source(i*51, Random(3, name, i))
			cmd := exec.Command("/bin/sh", "-c", c.Script)
			out, err := cmd.CombinedOutput()
			if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != c.Want.Code ||
				string(out) != c.Want.Output {
				t.Errorf("%s: %v, %d bytes of output, want code %d and %d bytes\n%s", name, err,
					len(out), c.Want.Code, len(c.Want.Output), c.Script)
			}
		}
	}
}

func TestSeededCommands(t *testing.T) {
	for i, want := range []int{0, 2, 127} {
		if c := Seeded(i, nil); c.Want.Code != want || !c.Want.AnyOutput {
			t.Errorf("%d: %+v", i, c)
		}
	}
}

func TestRandomDependsOnAllItIsGiven(t *testing.T) {
	seen := map[string]bool{}
	for _, seed := range []uint64{1, 2} {
		for _, scenario := range []string{"a", "b"} {
			for i := range 3 {
				seen[strconv.FormatUint(Random(seed, scenario, i).Uint64(), 36)] = true
				if Random(seed, scenario, i).Uint64() != Random(seed, scenario, i).Uint64() {
					t.Error("not repeatable")
				}
			}
		}
	}
	if len(seen) != 12 {
		t.Errorf("%d distinct of 12", len(seen))
	}
}

// A command's text and a variable's value end at NUL, and JSON is UTF-8.
func TestAwkwardTextsCanBeSaidAnywhere(t *testing.T) {
	seen := map[string]bool{}
	for i := range 300 {
		text := Awkward(Random(5, "awkward", i))
		if text == "" || strings.Contains(text, "\x00") || !utf8.ValidString(text) {
			t.Errorf("%q", text)
		}
		seen[text] = true
	}
	if len(seen) < 290 {
		t.Errorf("%d of 300 texts differ", len(seen))
	}
}
