package event

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// Call is the kind of a system call, as far as orders go.
type Call int

// The kinds. Other is of no interest.
const (
	Other   Call = iota
	WaitAny      // for any child
	WaitOne      // for one child
	Fork         // makes a process or a thread
	Accept       // takes a connection
	Read         // from a file descriptor, the first argument
	Write        // to one
	CloseFD
	Duplicate // makes another number for one
	OpenPidfd
	SignalWait // sigwait and its like
	Pause      // sleeps until a signal comes
	NewTimer   // makes a timerfd
	SetTimer
	AskTimer
	GiveWay // lets other threads have the CPU
)

var calls = map[uint64]Call{
	unix.SYS_CLONE: Fork, unix.SYS_CLONE3: Fork,
	unix.SYS_ACCEPT: Accept, unix.SYS_ACCEPT4: Accept,
	unix.SYS_READ: Read, unix.SYS_READV: Read, unix.SYS_RECVFROM: Read, unix.SYS_RECVMSG: Read,
	unix.SYS_WRITE: Write, unix.SYS_WRITEV: Write, unix.SYS_SENDTO: Write, unix.SYS_SENDMSG: Write,
	unix.SYS_CLOSE: CloseFD, unix.SYS_DUP: Duplicate, unix.SYS_DUP3: Duplicate,
	unix.SYS_PIDFD_OPEN: OpenPidfd, unix.SYS_RT_SIGTIMEDWAIT: SignalWait,
	unix.SYS_TIMERFD_CREATE: NewTimer, unix.SYS_TIMERFD_SETTIME: SetTimer,
	unix.SYS_TIMERFD_GETTIME: AskTimer,
	unix.SYS_RT_SIGSUSPEND:   Pause, unix.SYS_SCHED_YIELD: GiveWay,
}

// CallOf sorts a call.
func CallOf(c trace.Call) Call {
	switch c.Number {
	case unix.SYS_WAIT4:
		if int32(c.Args[0]) > 0 {
			return WaitOne
		}
		return WaitAny
	case unix.SYS_WAITID:
		if c.Args[0] == unix.P_PID || c.Args[0] == unix.P_PIDFD {
			return WaitOne
		}
		return WaitAny
	}
	if c.Number == unix.SYS_FCNTL && (c.Args[1] == unix.F_DUPFD || c.Args[1] == unix.F_DUPFD_CLOEXEC) {
		return Duplicate
	}
	return calls[c.Number]
}

// Lasts says whether who sleeps in a call of this kind does so until something happens that
// the call is for, as in those that clock.Sleeps knows. In others a thread may as well wait
// for a disk.
func (c Call) Lasts() bool {
	switch c {
	case WaitAny, WaitOne, SignalWait, Pause, Accept:
		return true
	}
	return false
}

// SwapsSignals says whether a call unblocks signals for as long as it sleeps: one that comes
// before it waits for it (pselect(2)).
func SwapsSignals(c trace.Call, memory Memory) bool {
	switch c.Number {
	case unix.SYS_RT_SIGSUSPEND:
		return true
	case unix.SYS_PPOLL:
		return c.Args[3] != 0
	case unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2:
		return c.Args[4] != 0
	case unix.SYS_PSELECT6:
		return c.Args[5] != 0 && word(memory, c.Args[5]) != 0
	}
	return false
}

// ByPidfd says whether a WaitOne names its child by a pidfd, the second argument,
// and not by a number in the target's own namespace.
func ByPidfd(c trace.Call) bool { return c.Number == unix.SYS_WAITID && c.Args[0] == unix.P_PIDFD }

// PID is the number by which a WaitOne names its child.
func PID(c trace.Call) int {
	if c.Number == unix.SYS_WAITID {
		return int(int32(c.Args[1]))
	}
	return int(int32(c.Args[0]))
}

// Peeks says whether a wait leaves the status where it is.
func Peeks(c trace.Call) bool {
	if c.Number == unix.SYS_WAITID {
		return c.Args[3]&unix.WNOWAIT != 0
	}
	return c.Args[2]&unix.WNOWAIT != 0
}

// Blocks says whether a wait sleeps until a child has ended.
func Blocks(c trace.Call) bool {
	if c.Number == unix.SYS_WAITID {
		return c.Args[3]&unix.WNOHANG == 0
	}
	return c.Args[2]&unix.WNOHANG == 0
}

// FoundAt is where a waitid has written about the child that it found; 0 for a call
// that returns the number.
func FoundAt(c trace.Call) uint64 {
	if c.Number == unix.SYS_WAITID {
		return c.Args[2]
	}
	return 0
}

// Memory is the target's.
type Memory interface {
	Read(p []byte, address uint64) error
}

// PidfdAt is where a fork has written the pidfd of its child; 0 where it makes none.
func PidfdAt(c trace.Call, memory Memory) uint64 {
	if forkFlags(c, memory)&unix.CLONE_PIDFD == 0 {
		return 0
	}
	if c.Number == unix.SYS_CLONE3 {
		return word(memory, c.Args[0]+8)
	}
	return c.Args[2]
}

// Suspends says whether a fork returns only when the child has executed a program, or
// has ended.
func Suspends(c trace.Call, memory Memory) bool {
	return suspends[c.Number] || forkFlags(c, memory)&unix.CLONE_VFORK != 0
}

// suspends are calls that do so by themselves.
var suspends = map[uint64]bool{}

func forkFlags(c trace.Call, memory Memory) uint64 {
	switch c.Number {
	case unix.SYS_CLONE:
		return c.Args[0]
	case unix.SYS_CLONE3:
		return word(memory, c.Args[0])
	}
	return 0
}

// word is 0 where nothing can be read.
func word(memory Memory, address uint64) uint64 {
	var raw [8]byte
	if memory.Read(raw[:], address) != nil {
		return 0
	}
	return binary.NativeEndian.Uint64(raw[:])
}
