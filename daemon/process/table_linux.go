package process

import (
	"os"
	"strconv"
	"sync"
)

// table reads the process table. A walk over thousands of processes takes tens
// of milliseconds, and as many commands may time out at once: those who ask
// while a walk is under way share the next one.
var table processTable

type processTable struct {
	busy sync.Mutex // held during a walk

	mu   sync.Mutex
	next func() []stat // the walk that has not begun, if anybody waits for one
}

// read returns a reading that began after the call.
func (t *processTable) read() []stat {
	t.mu.Lock()
	if t.next == nil {
		t.next = sync.OnceValue(t.walk)
	}
	next := t.next
	t.mu.Unlock()
	return next()
}

func (t *processTable) walk() []stat {
	t.busy.Lock()
	defer t.busy.Unlock()
	t.mu.Lock()
	t.next = nil
	t.mu.Unlock()
	return readProcesses()
}

func readProcesses() []stat {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	all := make([]stat, 0, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if p, err := readStat(pid); err == nil {
			all = append(all, p)
		}
	}
	return all
}
