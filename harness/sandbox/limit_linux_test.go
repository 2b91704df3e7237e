package sandbox

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

func TestCloseTakesItsCallersTimeUnlessThatIsOver(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	patient, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		most time.Duration
	}{
		"no limit": {t.Context(), cleanupLimit}, "cancelled": {cancelled, cleanupLimit}, "an hour": {patient, time.Hour},
	} {
		ctx, cancel := closeContext(c.ctx)
		defer cancel()
		deadline, limited := ctx.Deadline()
		if left := time.Until(deadline); !limited || ctx.Err() != nil || left > c.most || left < c.most-time.Minute/4 {
			t.Errorf("%s: %v left, limited %v, error %v", name, left, limited, ctx.Err())
		}
	}
}

func TestNamespaceCloseDoesNotWaitForEver(t *testing.T) {
	n := NewNamespace("").(*namespace)
	n.alive.Add(1)
	defer n.alive.Done()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := n.Close(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "still runs") {
		t.Errorf("closed: %v", err)
	}
}

func TestDockerEndThatIsNotReported(t *testing.T) {
	c := &container{name: "t", done: make(chan struct{}), log: &logTail{}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := c.endedEarly(ctx, Spec{}); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "none came") {
		t.Errorf("got %v", err)
	}
}

// A shell that is stopped, as in a sandbox that is frozen, answers nothing.
func TestNamespaceLimitThatIsNotAnswered(t *testing.T) {
	s := start(t, namespaceRuntime(t), spec(t)).(*namespaced)
	if err := s.LimitPIDs(t.Context(), 20); err != nil {
		t.Skip(err)
	}
	shell := s.pids.shell
	shell.limit = 50 * time.Millisecond
	if err := shell.shell.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if err := s.LimitPIDs(t.Context(), 3); err == nil || !strings.Contains(err.Error(), "answer of the shell expected within 50ms") {
		t.Errorf("limited: %v", err)
	}
	if s.pids.entered() {
		t.Error("the shell is left")
	}
}

// The kernel lets PID 1 end when nobody else is in its PID namespace.
func TestNamespaceEndUnderALimitIsSeen(t *testing.T) {
	s := start(t, namespaceRuntime(t), spec(t)).(*namespaced)
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

// slowUpdate is an engine that sets limits, and whose first answer is an error.
type slowUpdate struct {
	client.APIClient
	limits []int64
}

func (s *slowUpdate) ContainerUpdate(_ context.Context, _ string, o client.ContainerUpdateOptions) (client.ContainerUpdateResult, error) {
	s.limits = append(s.limits, *o.Resources.PidsLimit)
	if len(s.limits) == 1 {
		return client.ContainerUpdateResult{}, context.DeadlineExceeded
	}
	return client.ContainerUpdateResult{}, nil
}

func TestDockerLimitThatFailsIsLifted(t *testing.T) {
	own, err := openPIDNamespace(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer own.close()
	engine := &slowUpdate{}
	c := &container{engine: engine, name: "t", pid: os.Getpid(), pids: own}
	if err := c.LimitPIDs(t.Context(), 3); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("limited: %v", err)
	}
	if len(engine.limits) != 2 || engine.limits[1] != -1 {
		t.Errorf("a limit and its end expected, found %v", engine.limits)
	}
}
