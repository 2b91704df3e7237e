package probe

import (
	"fmt"
	"os"
	"sync"
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
func (c *cache) of(e Entry) (string, error) {
	c.mu.Lock()
	m := c.known[e.PID]
	c.mu.Unlock()
	if m.namespace != "" && m.inode == e.Inode {
		return m.namespace, nil
	}
	namespace, err := pidNamespace(e.PID)
	if err != nil {
		return "", err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known[e.PID] = member{e.Inode, namespace}
	return namespace, nil
}

func pidNamespace(pid int) (string, error) {
	return os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
}
