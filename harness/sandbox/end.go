package sandbox

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

// DrainLimit bounds the wait for the last output of a target that has ended.
const DrainLimit = 2 * time.Second

// ExitWords names the signal that a status above 128 stands for by the
// engine's convention.
func ExitWords(status int64) string {
	words := fmt.Sprintf("exit status %d", status)
	if status <= 128 || status > 128+64 {
		return words
	}
	return fmt.Sprintf("%s (as after signal %d, %v)", words, status-128, syscall.Signal(status-128))
}

// ShellStatus is an exit status as shells and engines give it: 128+n for death
// by signal n.
func ShellStatus(state *os.ProcessState) int {
	status := state.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
