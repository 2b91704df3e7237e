package tracer

import (
	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// narrow makes a wait for any child one for the child that was started first, where several
// have ended. Each of them is right (wait(2) names no order), and the kernel begins with
// those that the calling thread has started itself: in a daemon with threads it would be
// luck which one is found.
func (t *tracer) narrow(th *thread) error {
	first := t.firstZombie()
	if th.wide || first == nil {
		return nil
	}
	th.narrowed = true
	return setChild(th, unix.P_PID, uint64(first.inside))
}

// anyOf says whether a call waits for all of the target's children, and for nothing else.
func anyOf(c trace.Call) bool {
	const odd = unix.WNOTHREAD | unix.WCLONE
	switch c.Number {
	case unix.SYS_WAIT4:
		return int32(c.Args[0]) == -1 && c.Args[2]&odd == 0
	case unix.SYS_WAITID:
		return c.Args[0] == unix.P_ALL && c.Args[3]&(odd|unix.WEXITED) == unix.WEXITED
	}
	return false
}

// setChild changes whom a wait is for.
func setChild(th *thread, kind, pid uint64) error {
	if th.call.Number == unix.SYS_WAIT4 {
		return trace.SetArgument(th.tid, 0, pid)
	}
	if err := trace.SetArgument(th.tid, 0, kind); err != nil {
		return err
	}
	return trace.SetArgument(th.tid, 1, pid)
}

// firstZombie is the one of several zombies that was started first; nil where there are not
// several.
func (t *tracer) firstZombie() (first *command) {
	if !t.holding {
		return nil
	}
	several := false
	for _, list := range [][]*command{t.commands, t.orphans} {
		for _, c := range list {
			if !c.dead {
				continue
			}
			if parent, err := statusNumber(c.pid, "PPid"); err != nil || parent != t.target {
				continue
			}
			if first != nil {
				several = true
			} else {
				first = c
			}
		}
	}
	if !several {
		return nil
	}
	return first
}

// widen undoes narrow at the call's exit. again says that the call is made once more as the
// target has made it: a waiter was quicker than this one, or the child is not known by that
// number.
func (t *tracer) widen(th *thread, result int64) (again bool, err error) {
	narrowed := th.narrowed
	th.narrowed, th.wide = false, false
	if !narrowed {
		return false, nil
	}
	if result != -int64(unix.ECHILD) {
		return false, trace.Restore(th.tid, th.call)
	}
	th.wide = true
	return true, trace.Repeat(th.tid, th.call)
}
