package seccomp

import "golang.org/x/sys/unix"

// census counts the children that a target reaps by calls of one kind. What a
// call will take cannot be told when it enters: a child may end between the
// look from here and the kernel's own, and a call may block until there is
// something to take. So the children that are there when a call enters are
// remembered, and counted once they are gone.
//
// It misses a child that is started, ends and is reaped between two calls.
type census map[int]*child

// meet remembers a process. The number of one that is known is still its own
// if those that have gone were counted just before.
func (c census) meet(pid int) {
	if c[pid] != nil {
		return
	}
	if fd, err := unix.PidfdOpen(pid, 0); err == nil {
		c[pid] = &child{pidfd: fd}
	}
}

// reaped forgets those that have gone and says how many they were.
func (c census) reaped() (n int64) {
	for pid, child := range c {
		if child.gone() {
			child.close()
			delete(c, pid)
			n++
		}
	}
	return n
}

func (c census) close() {
	for _, child := range c {
		child.close()
	}
	clear(c)
}
