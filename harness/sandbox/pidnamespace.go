package sandbox

import (
	"fmt"
	"os"
	"sync"
)

// pidNamespace is a sandbox's PID namespace for certain. The number of its PID 1
// is somebody else's once that has been reaped; the namespace's own number stays
// its own for as long as its file is open.
type pidNamespace struct {
	file *os.File

	mu    sync.Mutex
	shell *insider // nil unless something was written
}

// openPIDNamespace must be called while pid is certain to be whom it is meant
// for.
func openPIDNamespace(pid int) (*pidNamespace, error) {
	file, err := os.Open(pidNamespacePath(pid))
	if err != nil {
		return nil, err
	}
	return &pidNamespace{file: file}, nil
}

func pidNamespacePath(pid int) string { return fmt.Sprintf("/proc/%d/ns/pid", pid) }

// has says whether a process is in the namespace. A nil or closed one has none.
func (n *pidNamespace) has(pid int) bool {
	if n == nil {
		return false
	}
	its, errIts := os.Stat(pidNamespacePath(pid))
	own, errOwn := n.file.Stat()
	return errIts == nil && errOwn == nil && os.SameFile(its, own)
}

func (n *pidNamespace) close() {
	if n != nil {
		n.leave()
		n.file.Close()
	}
}
