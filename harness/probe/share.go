package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Share is what the threads of a process have had of the CPUs so far, all of them
// together. It is zero where the kernel does not count that (CONFIG_SCHED_INFO).
type Share struct {
	// Ran is how long they ran, Kept how long they were ready to run without being
	// given a CPU. A wait for one counts when it is over.
	Ran, Kept time.Duration
}

// ShareOf looks at a process's share.
func ShareOf(pid int) (Share, error) {
	Tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return Share{}, err
	}
	var share Share
	for _, path := range Tasks {
		text, err := os.ReadFile(path)
		if Gone(err) {
			continue // a thread that has ended meanwhile
		}
		var ran, waited int64
		if err == nil {
			_, err = fmt.Sscan(string(text), &ran, &waited)
		}
		if err != nil {
			return Share{}, fmt.Errorf("look at process %d: %s: %w", pid, path, err)
		}
		share.Ran += time.Duration(ran)
		share.Kept += time.Duration(waited)
	}
	return share, nil
}
