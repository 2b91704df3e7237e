package sandbox

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/reapcheck/reapcheck/harness/probe"
)

// used is the CPU time that all processes of a sandbox have had.
func used(t *testing.T, sb Sandbox) (total time.Duration) {
	t.Helper()
	seen, err := probe.Look(sb.PID())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range seen {
		total += p.CPU
	}
	return total
}

// answers says whether the target answers while a person would still wait.
func answers(t *testing.T, sb Sandbox) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	asker := http.Client{Transport: Transport(sb)}
	defer asker.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, sb.URL()+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := asker.Do(request)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return true
}

// mustFreeze sees all stand still, twice, and go on; a command that has stopped
// itself is not set going.
func mustFreeze(t *testing.T, sb Sandbox) {
	t.Helper()
	f := sb.(Freezer)
	sh(t, sb, "(while :; do :; done) >/dev/null 2>&1 & sh -c 'kill -STOP $$' >/dev/null 2>&1 &")
	for range 2 {
		if err := f.Freeze(t.Context()); err != nil {
			t.Fatal(err)
		}
		before := used(t, sb)
		if answers(t, sb) {
			t.Error("a frozen target answers")
		}
		if after := used(t, sb); after != before {
			t.Errorf("used %v of CPU while it was frozen", after-before)
		}
		if err := f.Thaw(t.Context()); err != nil {
			t.Fatal(err)
		}
		awaitUse(t, sb, before)
	}
	if said := sh(t, sb, "cat /proc/[0-9]*/stat"); strings.Count(said, " T ") != 1 {
		t.Errorf("one command had stopped itself: %s", said)
	}
}

func awaitUse(t *testing.T, sb Sandbox, before time.Duration) {
	t.Helper()
	const limit = 10 * time.Second
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if used(t, sb) > before {
			return
		}
	}
	t.Errorf("more than %v of CPU expected within %v of the thaw, last saw %v", before, limit, used(t, sb))
}

func TestNamespaceFreeze(t *testing.T) { mustFreeze(t, start(t, namespaceRuntime(t), spec(t))) }
func TestDockerFreeze(t *testing.T)    { mustFreeze(t, start(t, runtimeOf(t), spec(t))) }

// What is frozen can be taken down, and a target that is gone is an error.
func mustEndFrozen(t *testing.T, sb Sandbox) {
	t.Helper()
	f := sb.(Freezer)
	if err := f.Freeze(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := sb.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.Thaw(t.Context()) // an engine says that there is nothing to thaw
	if err := f.Freeze(t.Context()); err == nil {
		t.Error("a sandbox that is gone was frozen")
	}
}

func TestNamespaceEndsFrozen(t *testing.T) { mustEndFrozen(t, start(t, namespaceRuntime(t), spec(t))) }
func TestDockerEndsFrozen(t *testing.T)    { mustEndFrozen(t, start(t, runtimeOf(t), spec(t))) }

// A process takes its time to stop, and is told again each millisecond.
func TestNamespaceFreezeRemembersAProcessOnce(t *testing.T) {
	s := start(t, namespaceRuntime(t), spec(t)).(*namespaced)
	told := map[int]int{}
	for range 3 {
		if err := s.stop(s.PID(), told); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.frozen) != 1 || len(told) != 1 {
		t.Errorf("one pidfd expected, found %d, by %d numbers", len(s.frozen), len(told))
	}
	if err := s.Thaw(t.Context()); err != nil || !answers(t, s) {
		t.Errorf("it does not go on: %v", err)
	}
}

// slowPause is an engine that pauses, and whose answer comes too late.
type slowPause struct {
	client.APIClient
	paused bool
	limit  bool // whether the call to unpause had one
}

func (s *slowPause) ContainerPause(ctx context.Context, _ string, _ client.ContainerPauseOptions) (client.ContainerPauseResult, error) {
	s.paused = true
	<-ctx.Done()
	return client.ContainerPauseResult{}, ctx.Err()
}

func (s *slowPause) ContainerUnpause(ctx context.Context, _ string, _ client.ContainerUnpauseOptions) (client.ContainerUnpauseResult, error) {
	_, s.limit = ctx.Deadline()
	s.paused = ctx.Err() != nil
	return client.ContainerUnpauseResult{}, ctx.Err()
}

func TestDockerIsNotLeftPausedByAnAnswerThatCameTooLate(t *testing.T) {
	engine := &slowPause{}
	c := &container{engine: engine, name: "t", done: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := c.Freeze(ctx); err == nil || !strings.Contains(err.Error(), "last the engine said") {
		t.Errorf("frozen: %v", err)
	}
	if engine.paused || !engine.limit {
		t.Errorf("paused %v, thaw has a limit %v", engine.paused, engine.limit)
	}
}
