package probe

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Children lists a process's children, zombies too, by the thread that started them; all
// numbers are this host's. It is quick and may miss one while others are reaped or a thread
// ends (get_children_pid in fs/proc/array.c says so of itself).
func Children(pid int) ([]int, error) {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil, fmt.Errorf("list threads of process %d: %w", pid, err)
	}
	var all []int
	for _, task := range tasks {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, task.Name()))
		if Gone(err) {
			continue // the thread has ended: its children are another's now
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
	return all, nil
}
