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

func TestAFaultKnowsItsTrial(t *testing.T) {
	if got := trialOf(OfTrial(t.Context(), 3)); got != 3 {
		t.Errorf("trial %d, want 3", got)
	}
}

func TestEverySecondBurstHasNoFiles(t *testing.T) {
	l := FileLimit{Burst: 4}
	for index, under := range map[int]bool{0: false, 3: false, 4: true, 7: true, 8: false} {
		if l.Under(index) != under {
			t.Errorf("trial %d is under the limit: %v", index, !under)
		}
	}
}
