package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// family lists those of roots that are still there, their children, and so on. It
// is complete where they stand.
func family(roots []stat) []stat {
	children := childrenOf
	if !namesChildren() {
		children = table.read().childrenOf
	}
	var all []stat
	listed := make(map[int]bool)
	list := func(some []stat) {
		for _, p := range some {
			if !listed[p.pid] {
				listed[p.pid] = true
				all = append(all, p)
			}
		}
	}
	list(stillThere(roots))
	for i := 0; i < len(all); i++ {
		list(children(all[i].pid))
	}
	return all
}

// stillThere looks anew at those processes that have not been reaped.
func stillThere(some []stat) (now []stat) {
	for _, before := range some {
		if p, err := readStat(before.pid); err == nil && p.is(before) {
			now = append(now, p)
		}
	}
	return now
}

// namesChildren says whether this kernel names a process's children
// (CONFIG_PROC_CHILDREN), which spares a walk over all processes of the machine
// for each command that is killed. A test replaces it.
var namesChildren = sync.OnceValue(func() bool {
	_, err := os.Stat("/proc/self/task/" + strconv.Itoa(syscall.Getpid()) + "/children")
	return err == nil
})

// childrenOf lists the children of pid's threads (proc_pid_task_children(5)).
func childrenOf(pid int) (children []stat) {
	tasks := "/proc/" + strconv.Itoa(pid) + "/task/"
	threads, _ := readNames(tasks)
	for _, thread := range threads {
		raw, _ := os.ReadFile(tasks + thread + "/children")
		for word := range strings.FieldsSeq(string(raw)) {
			number, _ := strconv.Atoi(word)
			// A number that has changed hands since is somebody else's child.
			if p, err := readStat(number); err == nil && p.parent == pid {
				children = append(children, p)
			}
		}
	}
	return children
}

func readNames(path string) ([]string, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}

// Zombies counts the children of this process that have ended and have not
// been reaped.
func Zombies() int {
	n := 0
	for _, p := range table.read().childrenOf(os.Getpid()) {
		if p.state == 'Z' {
			n++
		}
	}
	return n
}

// stat is what /proc/<pid>/stat says of a process.
type stat struct {
	pid, parent, group int
	state              byte
	started            uint64 // clock ticks since boot
}

// is says whether two looks saw the same process, and not another that was given
// its PID.
func (p stat) is(other stat) bool { return p.pid == other.pid && p.started == other.started }

// readStat parses from the last parenthesis on, since the name in front of it
// may hold anything (proc_pid_stat(5)).
func readStat(pid int) (stat, error) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, err
	}
	fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
	if len(fields) < 20 {
		return stat{}, fmt.Errorf("parse /proc/%d/stat: %q is too short", pid, raw)
	}
	p := stat{pid: pid, state: fields[0][0]}
	p.parent, _ = strconv.Atoi(string(fields[1]))
	p.group, _ = strconv.Atoi(string(fields[2]))
	p.started, _ = strconv.ParseUint(string(fields[19]), 10, 64)
	return p, nil
}
