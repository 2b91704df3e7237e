package sandbox

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// checkPidfd asks the kernel, not its version: a seccomp profile can take the
// call away. Without it Go waits by PID, and the race has another shape.
func checkPidfd() Check {
	c := Check{Name: "pidfd", Detail: Kernel()}
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		c.Detail = fmt.Sprintf("pidfd_open: %v on %s", err, c.Detail)
		c.Advice = "run Linux 5.4 or newer; what is seen without pidfd differs from what such a machine shows"
		return c
	}
	_ = unix.Close(fd)
	c.OK = true
	return c
}
