package sandbox

import (
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"
)

// A closed terminal interrupts, but not what nohup(1) has started.
func TestAClosedTerminalInterrupts(t *testing.T) {
	hangUp := os.Signal(syscall.SIGHUP)
	if signal.Ignored(hangUp) {
		t.Skip("the test itself outlives its terminal")
	}
	for _, ignored := range []bool{false, true} {
		if ignored {
			signal.Ignore(hangUp)
			defer signal.Reset(hangUp)
		}
		if slices.Contains(Interrupts(), hangUp) == ignored {
			t.Errorf("ignored: %v, signals %v", ignored, Interrupts())
		}
	}
}
