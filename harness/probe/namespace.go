package probe

import (
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"
)

// namespaces remembers the PID namespace of each process of this machine that was looked
// at, since a look at one sandbox asks all of them: a machine has hundreds, and a run looks
// thousands of times. A process never leaves its PID namespace (setns(2): only its children
// are in the new one).
var namespaces = cache{known: map[int]member{}}

// cache is safe for concurrent use.
type cache struct {
	mu    sync.Mutex
	known map[int]member // by PID, as this host counts
}

// member is a process in its namespace. Numbers are used again, and inode is the one of
// /proc/<pid>, which the next process with that number does not have (procfs counts inodes
// on, get_next_ino).
type member struct {
	inode     uint64
	namespace string
}

// of is the PID namespace of a process, as /proc/<pid>/ns/pid names it.
func (c *cache) of(pid int) (string, error) {
	info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	if err != nil {
		return "", err
	}
	inode := inodeOf(info)
	c.mu.Lock()
	m := c.known[pid]
	c.mu.Unlock()
	if m.namespace != "" && m.inode == inode {
		return m.namespace, nil
	}
	namespace, err := pidNamespace(pid)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[pid] = member{inode, namespace}
	return namespace, nil
}

// inodeOf is the inode of a file that this machine has told of.
func inodeOf(info fs.FileInfo) uint64 { return info.Sys().(*syscall.Stat_t).Ino }

func pidNamespace(pid int) (string, error) {
	return os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
}
