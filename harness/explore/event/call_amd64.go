package event

import "golang.org/x/sys/unix"

// These calls are older than arm64, which has only their successors.
func init() {
	calls[unix.SYS_FORK] = Fork
	calls[unix.SYS_VFORK] = Fork
	calls[unix.SYS_DUP2] = Duplicate
	calls[unix.SYS_PAUSE] = Pause
	suspends[unix.SYS_VFORK] = true
}
