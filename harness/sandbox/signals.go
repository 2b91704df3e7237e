package sandbox

import (
	"os"
	"os/signal"
	"syscall"
)

// Interrupts are the signals after which a command cleans up. A terminal that is
// closed is one, unless nohup(1) has the run outlive it.
func Interrupts() []os.Signal {
	all := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}
