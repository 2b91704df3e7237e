package cgroup

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestMount(t *testing.T) {
	const both = `25 1 0:21 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
26 1 0:22 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
27 1 0:23 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
`
	for controllers, want := range map[string]string{
		"cpu,cpuacct": "/sys/fs/cgroup/cpu,cpuacct", "": "/sys/fs/cgroup/unified", "cpuset": "",
		"memory": "",
	} {
		if got, ok := mount(both, controllers, "cpu"); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", controllers, got, ok)
		}
	}
}

// The test itself is in some group: whatever limits it leaves room for it, and is named.
func TestProcesses(t *testing.T) {
	left, group, limited := Processes(os.Getpid())
	if limited != (group != "") || limited && left < 1 {
		t.Errorf("%d left in %q, limited %v", left, group, limited)
	}
	if _, _, limited := Processes(1 << 30); limited {
		t.Error("a process that is not there is limited")
	}
}

func TestProcessesInAGroupWithALimit(t *testing.T) {
	above, _, err := of(os.Getpid(), "pids")
	if err != nil {
		t.Skip("no group to put a process into:", err)
	}
	group := filepath.Join(above, fmt.Sprintf("reapcheck-test-%d", os.Getpid()))
	if err := os.Mkdir(group, 0o755); err != nil {
		t.Skip("this user may make no groups:", err)
	}
	sleep := exec.Command("sleep", "60")
	defer func() {
		_ = sleep.Process.Kill()
		_ = sleep.Wait()
		if err := os.Remove(group); err != nil {
			t.Error(err)
		}
	}()
	if err := errors.Join(sleep.Start(),
		os.WriteFile(filepath.Join(group, "pids.max"), []byte("7"), 0),
		Join(group, sleep.Process.Pid)); err != nil {
		t.Fatal(err)
	}
	if left, in, limited := Processes(sleep.Process.Pid); left != 6 || in != group || !limited {
		t.Errorf("%d left in %q, limited %v, want 6 in %q", left, in, limited, group)
	}
}
