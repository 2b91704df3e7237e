package trace

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Refused says why a process could not be seized, and what to do.
func Refused(pid int, err error) error {
	switch by := TracerOf(pid); {
	case errors.Is(err, ErrGone):
		return fmt.Errorf("seize process %d: it has ended", pid)
	case !errors.Is(err, unix.EPERM):
		return fmt.Errorf("seize process %d: %w", pid, err)
	case by != 0:
		return fmt.Errorf("seize process %d: process %d traces it already, and the kernel allows one "+
			"tracer: end that one", pid, by)
	}
	return fmt.Errorf("seize process %d: %w; run reapcheck as root, or where "+
		"kernel.yama.ptrace_scope allows it", pid, err)
}

// TracerOf is who traces a thread; 0 for nobody, and for a thread that is gone.
func TracerOf(tid int) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", tid))
	_, after, _ := bytes.Cut(status, []byte("\nTracerPid:"))
	word, _, _ := bytes.Cut(after, []byte("\n"))
	by, _ := strconv.Atoi(string(bytes.TrimSpace(word)))
	return by
}
