package probe

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Children lists a process's children, zombies too, in order; all numbers are this host's.
// It is quick and may miss one while others are reaped (get_children_pid in fs/proc/array.c
// says so of itself).
//
// A thread that ends leaves its children to the oldest one that lives (find_new_reaper in
// kernel/exit.c), so the oldest is asked last.
func Children(pid int) ([]int, error) {
	tasks, err := threads(pid)
	if err != nil {
		return nil, fmt.Errorf("list threads of process %d: %w", pid, err)
	}
	var all []int
	for _, task := range slices.Backward(tasks) {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task))
		if Gone(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf(
				"list children of process %d (the kernel needs CONFIG_PROC_CHILDREN): %w", pid, err)
		}
		for _, field := range strings.Fields(string(raw)) {
			if child, err := strconv.Atoi(field); err == nil {
				all = append(all, child)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil // one that changed hands was seen twice
}

// threads lists a process's threads, the oldest first, as the kernel does (next_tid in
// fs/proc/base.c); os.ReadDir would sort their numbers, which begin anew at pid_max.
func threads(pid int) ([]string, error) {
	folder, err := os.Open(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	return folder.Readdirnames(-1)
}
