package sandbox

import (
	"errors"
	"os"
	"testing"
	"time"
)

// mustLimitCPU sees a busy sandbox throttled under the limit, and not without.
func mustLimitCPU(t *testing.T, sb Sandbox) {
	t.Helper()
	l := sb.(CPULimiter)
	err := l.LimitCPU(t.Context(), 0.1)
	if errors.Is(err, os.ErrPermission) || errors.Is(err, os.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	sh(t, sb, "(while :; do :; done) >/dev/null 2>&1 &")
	const limit, enough = 10 * time.Second, 3
	var n int64
	for deadline := time.Now().Add(limit); n < enough && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if n, err = l.Throttled(); err != nil {
			t.Fatal(err)
		}
	}
	if n < enough {
		t.Errorf("%d throttled periods expected within %v, last saw %d", enough, limit, n)
	}
	before := used(t, sb)
	if err := l.FreeCPU(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitUse(t, sb, before+100*time.Millisecond)
}

func TestNamespaceLimitCPU(t *testing.T) {
	sb := start(t, namespaceRuntime(t), spec(t))
	mustLimitCPU(t, sb)
	s := sb.(*namespaced)
	if s.cpu != "" {
		t.Errorf("%s was not removed", s.cpu)
	}
	// What has ended under a limit leaves no group behind.
	if err := s.LimitCPU(t.Context(), 0.1); err != nil {
		t.Fatal(err)
	}
	group := s.cpu
	if err := errors.Join(s.Stop(t.Context()), s.FreeCPU(t.Context())); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(group); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s: %v", group, err)
	}
}

func TestDockerLimitCPU(t *testing.T) { mustLimitCPU(t, start(t, runtimeOf(t), spec(t))) }

func TestCPUMount(t *testing.T) {
	const both = `25 1 0:21 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
26 1 0:22 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
27 1 0:23 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
`
	for controllers, want := range map[string]string{
		"cpu,cpuacct": "/sys/fs/cgroup/cpu,cpuacct", "": "/sys/fs/cgroup/unified", "cpuset": "", "memory": "",
	} {
		if got, ok := cpuMount(both, controllers); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", controllers, got, ok)
		}
	}
}
