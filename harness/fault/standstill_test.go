package fault

import (
	"errors"
	"testing"
)

// What it stops is a sandbox, and never the machine that the harness runs on.
func TestAStandstillSparesTheHarness(t *testing.T) {
	if _, err := (Standstill{Commands: 1}).Inject(t.Context(), here{}); !errors.Is(err, ErrDeclined) {
		t.Errorf("got %v", err)
	}
}
