// Package pidns looks into a PID namespace from outside, and writes kernel settings
// of it.
package pidns

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Namespace is a sandbox's PID namespace for certain. The number of its PID 1
// is somebody else's once that has been reaped; the namespace's own number stays
// its own for as long as its file is open.
type Namespace struct {
	// AnswerLimit bounds the wait for the shell that writes; zero means 10 s.
	AnswerLimit time.Duration

	file *os.File

	mu    sync.Mutex
	shell *insider // nil unless something was written
}

// Open must be called while pid is certain to be whom it is meant
// for.
func Open(pid int) (*Namespace, error) {
	file, err := os.Open(pidNamespacePath(pid))
	if err != nil {
		return nil, err
	}
	return &Namespace{file: file}, nil
}

func pidNamespacePath(pid int) string { return fmt.Sprintf("/proc/%d/ns/pid", pid) }

// Has says whether a process is in the namespace. A nil or closed one has none.
func (n *Namespace) Has(pid int) bool {
	if n == nil {
		return false
	}
	its, errIts := os.Stat(pidNamespacePath(pid))
	own, errOwn := n.file.Stat()
	return errIts == nil && errOwn == nil && os.SameFile(its, own)
}

func (n *Namespace) Close() {
	if n != nil {
		n.Leave()
		n.file.Close()
	}
}

// Tasks are the numbers that the processes and threads of a target's sandbox
// have there.
func Tasks(namespace *Namespace, target int) (map[int]bool, error) {
	found, err := filepath.Glob(fmt.Sprintf("/proc/%d/root/proc/[0-9]*/task/[0-9]*", target))
	if err == nil && (len(found) == 0 || !namespace.Has(target)) {
		err = fmt.Errorf("process %d has ended, or its /proc cannot be read", target)
	}
	used := make(map[int]bool, len(found))
	for _, path := range found {
		id, _ := strconv.Atoi(filepath.Base(path))
		used[id] = true
	}
	return used, err
}

// SetNext names the PID before, as the kernel wants it (proc(5), ns_last_pid).
func (n *Namespace) SetNext(proc string, pid int) error {
	if err := n.Write(proc+"/sys/kernel/ns_last_pid", strconv.Itoa(pid-1)); err != nil {
		return fmt.Errorf("set next process ID to %d: %w", pid, err)
	}
	return nil
}

// Privileged asks for the capabilities to make namespaces and to raise
// a network's loopback. Root of a container lacks one or both as a rule.
func Privileged() bool {
	const needed = 1<<unix.CAP_SYS_ADMIN | 1<<unix.CAP_NET_ADMIN
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData // 32 capabilities each
	err := unix.Capget(&header, &sets[0])
	return err == nil && sets[0].Effective&needed == needed
}
