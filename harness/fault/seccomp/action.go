package seccomp

import (
	"encoding/binary"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// action is what a process does with a signal: the beginning of the kernel's struct
// sigaction, which is the same on amd64 and arm64. The zero action is the default one.
type action struct {
	handler, flags uint64
}

// No handler is called for the default action and for a signal that is ignored (signal(7)).
const (
	defaultAction = 0 // SIG_DFL
	ignored       = 1 // SIG_IGN
)

const restartCalls = 0x10000000 // SA_RESTART

// interrupts says whether a call fails with EINTR when the signal comes.
func (a action) interrupts() bool {
	return a.handler != defaultAction && a.handler != ignored && a.flags&restartCalls == 0
}

// actionOf reads the action that an rt_sigaction(2) is to set. The zero action comes of
// memory that may not be read: what is not known excuses nothing.
func actionOf(n notification) action {
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", n.thread))
	if err != nil {
		return action{}
	}
	defer memory.Close()
	var raw [16]byte
	if _, err := unix.Pread(int(memory.Fd()), raw[:], int64(n.args[1])); err != nil {
		return action{}
	}
	return action{
		handler: binary.NativeEndian.Uint64(raw[:8]), flags: binary.NativeEndian.Uint64(raw[8:]),
	}
}
