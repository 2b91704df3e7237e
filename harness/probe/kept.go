package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Kept is how long the threads of a process have been ready to run so far
// without being given a CPU, all of them together. It is 0 where the kernel does
// not count that (CONFIG_SCHED_INFO).
func Kept(pid int) (time.Duration, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	var kept time.Duration
	for _, path := range tasks {
		text, err := os.ReadFile(path)
		if Gone(err) {
			continue // a thread that has ended meanwhile
		}
		var ran, waited int64
		if err == nil {
			_, err = fmt.Sscan(string(text), &ran, &waited)
		}
		if err != nil {
			return 0, fmt.Errorf("look at process %d: %s: %w", pid, path, err)
		}
		kept += time.Duration(waited)
	}
	return kept, nil
}
