package namespace

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/sandbox"
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

func TestRoomForProcesses(t *testing.T) {
	for _, c := range []struct {
		left             int
		limited, crowded bool
		refused          bool
	}{
		{left: 0, limited: false},
		{left: 10_000, limited: true},
		{left: 2000, limited: true, crowded: true}, // as Podman has it for a container
		{left: 512, limited: true, crowded: true, refused: true},
	} {
		crowded, err := room(c.left, "/sys/fs/cgroup/pod", c.limited)
		if crowded != c.crowded || errors.Is(err, sandbox.ErrUnavailable) != c.refused {
			t.Errorf("%+v: crowded %v, %v", c, crowded, err)
		}
		if c.refused && !strings.Contains(err.Error(), "/sys/fs/cgroup/pod has room for 512 more") {
			t.Errorf("it says %v", err)
		}
	}
}
