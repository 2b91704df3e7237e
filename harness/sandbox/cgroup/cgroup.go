// Package cgroup finds the control group that counts a process's CPU time or its
// processes, and sets its quota, in both versions of control groups (cgroups(7)).
package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Period is the kernel's default, and so the engine's, in microseconds.
const Period = 100_000

// Quota is the time that a share of one CPU, such as 0.1, has in each Period.
func Quota(share float64) int64 { return int64(share * Period) }

// Join moves a process into a group.
func Join(group string, pid int) error {
	return os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
}

// SetQuota knows both versions of control groups by their files.
func SetQuota(group string, quota int64) error {
	if _, err := os.Stat(filepath.Join(group, "cpu.cfs_quota_us")); err == nil {
		return os.WriteFile(filepath.Join(group, "cpu.cfs_quota_us"),
			[]byte(strconv.FormatInt(quota, 10)), 0)
	}
	err := os.WriteFile(filepath.Join(group, "cpu.max"), fmt.Appendf(nil, "%d %d", quota, Period),
		0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%w: the cpu controller is not delegated to this process's control group",
			err)
	}
	return err
}

// Throttled reads nr_throttled, which both versions call so.
func Throttled(group string) (int64, error) {
	return counter(filepath.Join(group, "cpu.stat"), "nr_throttled")
}

// Processes is how many more processes and threads may live in the control groups that
// process pid is in, and in which of them that is so (cgroups(7), pids). limited is false
// where none of them limits that, or none can be seen.
func Processes(pid int) (left int, group string, limited bool) {
	at, root, err := of(pid, "pids")
	if err != nil {
		return 0, "", false
	}
	for ; len(at) >= len(root); at = filepath.Dir(at) {
		most, unlimited := number(filepath.Join(at, "pids.max"))
		now, unknown := number(filepath.Join(at, "pids.current"))
		if unlimited == nil && unknown == nil && (!limited || most-now < left) {
			left, group, limited = most-now, at, true
		}
	}
	return left, group, limited
}

// Memory is what the control group of a process holds, in bytes, and how many processes the
// kernel has killed there since that was too much (cgroups(7), memory.events; Linux 4.13 in
// version 1).
func Memory(pid int) (bytes, kills int64, err error) {
	group, _, err := of(pid, "memory")
	if err != nil {
		return 0, 0, err
	}
	held, events := "memory.current", "memory.events"
	if _, err := os.Stat(filepath.Join(group, "memory.usage_in_bytes")); err == nil {
		held, events = "memory.usage_in_bytes", "memory.oom_control"
	}
	now, err := number(filepath.Join(group, held))
	if err != nil {
		return 0, 0, err
	}
	kills, err = counter(filepath.Join(group, events), "oom_kill")
	return int64(now), kills, err
}

// counter is the number that follows a word at the beginning of a line.
func counter(file, word string) (int64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if number, ok := strings.CutPrefix(line, word+" "); ok {
			return strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", file, word)
}

// number is what a file holds; "max" is an error.
func number(file string) (int, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// CPU is the folder of the control group that counts a process's CPU time
// (cgroups(7)).
func CPU(pid int) (string, error) {
	if pid == 0 {
		return "", errors.New("its engine is on another machine")
	}
	group, _, err := of(pid, "cpu")
	if err == nil {
		_, err = os.Stat(filepath.Join(group, "cpu.stat"))
	}
	return group, err
}

// of is the folder of a process's group under a controller, and that of all groups.
func of(pid int, controller string) (group, root string, err error) {
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return "", "", err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", "", err
	}
	for line := range strings.Lines(string(groups)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			continue
		}
		if root, ok := mount(string(mounts), part[1], controller); ok {
			return filepath.Join(root, part[2]), root, nil
		}
	}
	return "", "", fmt.Errorf("no control group of this machine has a %s controller", controller)
}

// mount is where a hierarchy is mounted that has a controller: one whose controllers, as
// /proc/<pid>/cgroup lists them, say so, or the unified one, which lists none, if no other
// has it.
func mount(mountinfo, controllers, controller string) (root string, ok bool) {
	unified := controllers == ""
	if !unified && !contains(controllers, controller) {
		return "", false
	}
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(line, " - ")
		place, kind := strings.Fields(before), strings.Fields(after)
		if len(place) < 5 || len(kind) < 3 {
			continue
		}
		if unified && kind[0] == "cgroup2" || !unified && kind[0] == "cgroup" &&
			contains(kind[2], controller) {
			return place[4], true
		}
	}
	return "", false
}

func contains(list, word string) bool { return slices.Contains(strings.Split(list, ","), word) }
