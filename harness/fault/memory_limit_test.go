package fault

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// hungrySandbox answers what the kernel has counted, and forgets it with the target.
type hungrySandbox struct {
	sandbox.Sandbox
	kills   []int64
	limited []int64
	done    chan struct{}
}

func (h *hungrySandbox) Done() <-chan struct{} { return h.done }

func (h *hungrySandbox) KilledForMemory() (int64, error) {
	now := h.kills[0]
	h.kills = h.kills[1:]
	if now < 0 {
		return 0, os.ErrProcessDone
	}
	return now, nil
}

func (h *hungrySandbox) LimitMemory(_ context.Context, spare int64) error {
	h.limited = append(h.limited, spare)
	return nil
}

func (h *hungrySandbox) FreeMemory(context.Context) error { return errors.New("it is gone") }

// Two are killed, and then the target itself, with which the count goes: to 0 at first.
func TestMemoryLimitKeepsTheHitsOfATargetThatWasKilled(t *testing.T) {
	sb := &hungrySandbox{kills: []int64{3, 4, 5, 0, -1}, done: make(chan struct{})}
	close(sb.done)
	injected, err := MemoryLimit{Spare: 7}.Inject(t.Context(), sb)
	if err != nil || len(sb.limited) != 1 || sb.limited[0] != 7 {
		t.Fatalf("limited to %v, error %v", sb.limited, err)
	}
	perTrial := injected.(PerTrial)
	for range 3 {
		perTrial.Before(t.Context())
		perTrial.After("")
	}
	if hits, note, err := injected.Hits(t.Context()); hits != 2 || note != "" || err != nil {
		t.Errorf("%d hits, note %q, error %v", hits, note, err)
	}
	if err := injected.Undo(t.Context()); err != nil {
		t.Errorf("undone in a target that has ended: %v", err)
	}
}

func TestMemoryLimitDeclinesWhatCannotBeLimited(t *testing.T) {
	if _, err := (MemoryLimit{}).Inject(t.Context(), pidOf{}); !errors.Is(err, ErrDeclined) {
		t.Errorf("got %v", err)
	}
}
