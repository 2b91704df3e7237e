package namespace

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

func TestNamespaceCloseDoesNotWaitForEver(t *testing.T) {
	n := New("")
	n.alive.Add(1)
	defer n.alive.Done()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := n.Close(ctx); !errors.Is(err, context.DeadlineExceeded) ||
		!strings.Contains(err.Error(), "still runs") {
		t.Errorf("closed: %v", err)
	}
}

// A shell that is stopped, as in a sandbox that is frozen, answers nothing.
func TestNamespaceLimitThatIsNotAnswered(t *testing.T) {
	s := sandboxtest.Start(t, namespaceRuntime(t), sandboxtest.Spec(t)).(*namespaced)
	if err := s.LimitPIDs(t.Context(), 20); err != nil {
		t.Skip(err)
	}
	s.pids.AnswerLimit = 50 * time.Millisecond
	for _, p := range inside(t, s) {
		if p.PID == s.PID() {
			continue
		}
		if err := syscall.Kill(p.PID, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.LimitPIDs(t.Context(), 3); err == nil ||
		!strings.Contains(err.Error(), "answer of the shell expected within 50ms") {
		t.Errorf("limited: %v", err)
	}
	if s.pids.Entered() {
		t.Error("the shell is left")
	}
}

// The kernel lets PID 1 end when no one else is in its PID namespace.
func TestNamespaceEndUnderALimitIsSeen(t *testing.T) {
	s := sandboxtest.Start(t, namespaceRuntime(t), sandboxtest.Spec(t)).(*namespaced)
	if err := s.LimitPIDs(t.Context(), 20); err != nil {
		t.Skip(err)
	}
	defer s.FreePIDs(t.Context())
	if err := s.Signal(t.Context(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Done():
	case <-time.After(10 * time.Second):
		t.Error("end of PID 1 expected within 10s of SIGKILL, it still runs")
	}
}
