package cgroup

import "testing"

func TestCPUMount(t *testing.T) {
	const both = `25 1 0:21 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
26 1 0:22 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
27 1 0:23 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct
`
	for controllers, want := range map[string]string{
		"cpu,cpuacct": "/sys/fs/cgroup/cpu,cpuacct", "": "/sys/fs/cgroup/unified", "cpuset": "",
		"memory": "",
	} {
		if got, ok := cpuMount(both, controllers); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v", controllers, got, ok)
		}
	}
}
