package process

import "golang.org/x/sys/unix"

// BecomeSubreaper makes this process inherit its descendants' orphans, as
// PID 1 does.
func BecomeSubreaper() error {
	return unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
}
