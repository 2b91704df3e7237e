package docker

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/namespace"
	"github.com/reapcheck/reapcheck/harness/sandbox/pidns"
	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

func TestDockerLimitCPU(t *testing.T) {
	sandboxtest.MustLimitCPU(t, sandboxtest.Start(t, runtimeOf(t), sandboxtest.Spec(t)))
}

func TestDockerFreeze(t *testing.T) {
	sandboxtest.MustFreeze(t, sandboxtest.Start(t, runtimeOf(t), sandboxtest.Spec(t)))
}

func TestDockerEndsFrozen(t *testing.T) {
	sandboxtest.MustEndFrozen(t, sandboxtest.Start(t, runtimeOf(t), sandboxtest.Spec(t)))
}

// slowPause is an engine that pauses, and whose answer comes too late.
type slowPause struct {
	client.APIClient
	paused bool
	limit  bool // whether the call to unpause had one
}

func (s *slowPause) ContainerPause(ctx context.Context, _ string,
	_ client.ContainerPauseOptions) (client.ContainerPauseResult, error) {
	s.paused = true
	<-ctx.Done()
	return client.ContainerPauseResult{}, ctx.Err()
}

func (s *slowPause) ContainerUnpause(ctx context.Context, _ string,
	_ client.ContainerUnpauseOptions) (client.ContainerUnpauseResult, error) {
	_, s.limit = ctx.Deadline()
	s.paused = ctx.Err() != nil
	return client.ContainerUnpauseResult{}, ctx.Err()
}

func TestDockerIsNotLeftPausedByAnAnswerThatCameTooLate(t *testing.T) {
	engine := &slowPause{}
	c := &container{engine: engine, name: "t", done: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := c.Freeze(ctx); err == nil || !strings.Contains(err.Error(), "last saw") {
		t.Errorf("frozen: %v", err)
	}
	if engine.paused || !engine.limit {
		t.Errorf("paused %v, thaw has a limit %v", engine.paused, engine.limit)
	}
}

func TestDockerEndThatIsNotReported(t *testing.T) {
	c := &container{name: "t", done: make(chan struct{}), log: &sandbox.LogTail{}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := c.endedEarly(ctx, sandbox.Spec{}); !errors.Is(err, context.DeadlineExceeded) ||
		!strings.Contains(err.Error(), "none came") {
		t.Errorf("got %v", err)
	}
}

// slowUpdate is an engine that sets limits, and whose first answer is an error.
type slowUpdate struct {
	client.APIClient
	limits []int64
}

func (s *slowUpdate) ContainerUpdate(_ context.Context, _ string,
	o client.ContainerUpdateOptions) (client.ContainerUpdateResult, error) {
	s.limits = append(s.limits, *o.Resources.PidsLimit)
	if len(s.limits) == 1 {
		return client.ContainerUpdateResult{}, context.DeadlineExceeded
	}
	return client.ContainerUpdateResult{}, nil
}

func TestDockerLimitThatFailsIsLifted(t *testing.T) {
	own, err := pidns.Open(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	engine := &slowUpdate{}
	c := &container{engine: engine, name: "t", pid: os.Getpid(), pids: own}
	if err := c.LimitPIDs(t.Context(), 3); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("limited: %v", err)
	}
	if len(engine.limits) != 2 || engine.limits[1] != -1 {
		t.Errorf("a limit and its end expected, found %v", engine.limits)
	}
}

func TestDockerWhoseNumberCameAgain(t *testing.T) {
	rt := runtimeOf(t)
	dead, other := sandboxtest.Start(t, rt, sandboxtest.Spec(t)).(*container), sandboxtest.Start(t,
		rt, sandboxtest.Spec(t))
	if err := dead.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	dead.pid = other.PID()
	sandboxtest.MustRefuseTheDead(t, dead, other)
}

func TestDockerSetNextPID(t *testing.T) {
	sb := sandboxtest.Start(t, runtimeOf(t), sandboxtest.Spec(t))
	if pidns.Privileged() && namespace.Whoami() == "user 0" {
		sandboxtest.MustChoosePID(t, sb)
	} else if err := sb.(sandbox.PIDSetter).SetNextPID(t.Context(), 4242); err == nil ||
		!strings.Contains(err.Error(), "root") {
		t.Errorf("without root: %v", err)
	}
}

func TestDockerLimitPIDs(t *testing.T) {
	sandboxtest.MustLimitPIDs(t, sandboxtest.Start(t, runtimeOf(t), sandboxtest.Spec(t)))
}

func TestDockerOwnTemp(t *testing.T) { sandboxtest.MustHaveOwnTemp(t, runtimeOf(t)) }

func TestDockerLimitMemory(t *testing.T) {
	c := sandboxtest.Start(t, runtimeOf(t), sandboxtest.Spec(t)).(*container)
	const greedy = `sh -c 'x=0123456789abcdef; while [ ${#x} -lt 67108864 ]; do x=$x$x; done'; echo $?`
	for _, step := range []struct {
		set   func() error
		said  string
		kills int64
	}{
		{func() error { return c.LimitMemory(t.Context(), 32<<20) }, "137\n", 1},
		{func() error { return c.FreeMemory(t.Context()) }, "0\n", 1},
	} {
		if err := step.set(); err != nil {
			t.Fatal(err)
		}
		said := sandboxtest.Shell(t, c, greedy)
		kills, err := c.KilledForMemory()
		if !strings.HasSuffix(said, step.said) || kills != step.kills || err != nil {
			t.Errorf("said %q after %d kills, want %+v, error %v", said, kills, step, err)
		}
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.KilledForMemory(); err == nil {
		t.Error("the kills of a sandbox that has ended are counted")
	}
}
