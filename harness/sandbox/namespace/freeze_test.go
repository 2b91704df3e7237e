package namespace

import (
	"testing"

	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

func TestNamespaceFreeze(t *testing.T) {
	sandboxtest.MustFreeze(t, sandboxtest.Start(t, namespaceRuntime(t), sandboxtest.Spec(t)))
}

func TestNamespaceEndsFrozen(t *testing.T) {
	sandboxtest.MustEndFrozen(t, sandboxtest.Start(t, namespaceRuntime(t), sandboxtest.Spec(t)))
}

// A process takes its time to stop, and is told again each millisecond.
func TestNamespaceFreezeRemembersAProcessOnce(t *testing.T) {
	s := sandboxtest.Start(t, namespaceRuntime(t), sandboxtest.Spec(t)).(*namespaced)
	told := map[int]int{}
	for range 3 {
		if err := s.stop(s.PID(), told); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.frozen) != 1 || len(told) != 1 {
		t.Errorf("one pidfd expected, found %d, by %d numbers", len(s.frozen), len(told))
	}
	if err := s.Thaw(t.Context()); err != nil || !sandboxtest.Answers(t, s) {
		t.Errorf("it does not go on: %v", err)
	}
}
