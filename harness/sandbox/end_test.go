package sandbox

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"testing"
	"time"
)

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

func TestCloseTakesItsCallersTimeUnlessThatIsOver(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	patient, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		most time.Duration
	}{
		"no limit": {t.Context(), CleanupLimit}, "cancelled": {cancelled, CleanupLimit}, "an hour": {patient, time.Hour},
	} {
		ctx, cancel := CloseContext(c.ctx)
		defer cancel()
		deadline, limited := ctx.Deadline()
		if left := time.Until(deadline); !limited || ctx.Err() != nil || left > c.most || left < c.most-time.Minute/4 {
			t.Errorf("%s: %v left, limited %v, error %v", name, left, limited, ctx.Err())
		}
	}
}
