//go:build !linux

package process

import (
	"syscall"
	"time"
)

// killTree ends the child's group: by SIGTERM, and by SIGKILL where the child has
// not ended after grace. Descendants that have left the group live on.
func killTree(child Child, grace time.Duration) {
	if grace > 0 {
		child.Signal(syscall.SIGTERM)
		select {
		case <-child.Exited():
		case <-time.After(grace):
		}
	}
	child.Signal(syscall.SIGKILL)
}

// Zombies is not known here.
func Zombies() int { return 0 }
