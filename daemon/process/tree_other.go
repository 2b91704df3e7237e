//go:build !linux

package process

import "syscall"

// killTree kills the child's group. Descendants that have left it live on.
func killTree(child Child) { child.Signal(syscall.SIGKILL) }

// Zombies is not known here.
func Zombies() int { return 0 }
