package process

import (
	"strconv"
	"sync"
)

// table reads the process table, where the kernel does not name a process's
// children. A walk over thousands of processes takes tens of milliseconds, and
// as many commands may time out at once: those who ask while a walk is under way
// share the next one.
var table processTable

type processTable struct {
	busy sync.Mutex // held during a walk

	mu   sync.Mutex
	next func() reading // the walk that has not begun, if anybody waits for one
}

// reading is what a walk has seen: processes by their parents.
type reading map[int][]stat

func (r reading) childrenOf(pid int) []stat { return r[pid] }

// read returns a reading that began after the call.
func (t *processTable) read() reading {
	t.mu.Lock()
	if t.next == nil {
		t.next = sync.OnceValue(t.walk)
	}
	next := t.next
	t.mu.Unlock()
	return next()
}

func (t *processTable) walk() reading {
	t.busy.Lock()
	defer t.busy.Unlock()
	t.mu.Lock()
	t.next = nil
	t.mu.Unlock()
	return readProcesses()
}

func readProcesses() reading {
	names, _ := readNames("/proc")
	all := make(reading)
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if p, err := readStat(pid); err == nil {
			all[p.parent] = append(all[p.parent], p)
		}
	}
	return all
}
