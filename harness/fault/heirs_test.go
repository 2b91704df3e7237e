package fault

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAnEldersNumberIsReadFromItsChild(t *testing.T) {
	path := filepath.Join(t.TempDir(), "environ")
	for text, want := range map[string]int{
		"A=1\x00REAPCHECK_ELDER=4711\x00B=2\x00": 4711,
		"REAPCHECK_ELDERLY=4711\x00":             0,
		"REAPCHECK_ELDER=\x00":                   0,
		"":                                       0,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := elderIn(path); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	if got := elderIn(filepath.Join(t.TempDir(), "none")); got != 0 {
		t.Errorf("of a process that has gone: %d", got)
	}
}

// What is in use costs none of the numbers that are taken before a command's own.
func TestTheNumberBeforePassesOverThoseInUse(t *testing.T) {
	proc := t.TempDir()
	for _, used := range []string{"98", "99"} {
		if err := os.Mkdir(filepath.Join(proc, used), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for offset, want := range map[int]int{0: 100, 1: 97, 2: 96} {
		if got := numberBefore(proc, 100, offset); got != want {
			t.Errorf("%d others before 100 begin at %d, want %d", offset, got, want)
		}
	}
}

func TestAFaultKnowsItsTrial(t *testing.T) {
	if got := trialOf(OfTrial(t.Context(), 3)); got != 3 {
		t.Errorf("trial %d, want 3", got)
	}
}

func TestEverySecondBurstHasNoFiles(t *testing.T) {
	l := FileLimit{Burst: 4}
	for index, under := range map[int]bool{0: true, 3: true, 4: false, 7: false, 8: true} {
		if l.Under(index) != under {
			t.Errorf("trial %d is under the limit: %v", index, !under)
		}
	}
}
