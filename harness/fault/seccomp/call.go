package seccomp

import "golang.org/x/sys/unix"

// side is what a call is for.
type side int

const (
	other side = iota // a group, a stopped child, a clone(2) without SIGCHLD
	wait              // blocks for one child
	look              // takes one child if it has ended
	take              // takes any child
	peek              // looks at children and takes none
)

// call is a wait4 or waitid, as far as it matters here.
type call struct {
	side side
	// child is a process ID as the target counts, or a pidfd of its.
	child  int
	pidfd  bool
	blocks bool
	// mayBeNone says that 0 is an answer: no child has ended. A waitid says so
	// in the caller's memory, which is not ours to write.
	mayBeNone bool
}

func callOf(number int32, args [6]uint64) call {
	if number == unix.SYS_WAIT4 {
		return wait4Call(int(int32(args[0])), int(int32(args[2])))
	}
	return waitidCall(int(int32(args[0])), int(int32(args[1])), int(int32(args[3])))
}

func wait4Call(pid, options int) call {
	blocks := options&unix.WNOHANG == 0
	c := call{child: pid, blocks: blocks, mayBeNone: !blocks}
	switch {
	case pid > 0:
		c.side = sideOf(true, options)
	case pid == -1:
		c.side = sideOf(false, options)
	}
	return c
}

func waitidCall(kind, id, options int) call {
	c := call{child: id, pidfd: kind == unix.P_PIDFD, blocks: options&unix.WNOHANG == 0}
	if options&unix.WEXITED == 0 {
		return c
	}
	switch kind {
	case unix.P_PID, unix.P_PIDFD:
		c.side = sideOf(true, options)
	case unix.P_ALL:
		c.side = sideOf(false, options)
	}
	return c
}

// sideOf tells the sides apart. With __WCLONE alone a call cannot see what a
// reaper can, and the other way round: Go probes for pidfds that way.
func sideOf(one bool, options int) side {
	block, leave := options&unix.WNOHANG == 0, options&unix.WNOWAIT != 0
	switch {
	case options&unix.WCLONE != 0 && options&unix.WALL == 0:
		return other
	case one && block:
		return wait
	case leave:
		return peek
	case one:
		return look
	}
	return take
}
