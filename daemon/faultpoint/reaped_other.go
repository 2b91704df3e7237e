//go:build faultpoints && !linux

package faultpoint

import "syscall"

// reaped says whether pid is gone; without WNOWAIT this is the nearest answer.
func reaped(pid int) bool {
	return syscall.Kill(pid, 0) == syscall.ESRCH
}
