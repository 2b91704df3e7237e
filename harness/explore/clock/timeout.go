// Package clock gives a traced target a time of the tracer's making, so that a busy
// machine changes no outcome, and a limit of 20 s costs no more than one of 200 ms.
//
// Clock is the front door: what time it is, and when each sleeper's time is up.
// TimeoutOf says which calls sleep with a limit, TakeFast gives C libraries and Go that
// time without a system call, or has them make one that a tracer can see. Calls whose time
// cannot be had are named by Untimed.
package clock

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// Memory is the target's.
type Memory interface {
	Read(p []byte, address uint64) error
	Write(p []byte, address uint64) error
}

// form is how a call is told its limit.
type form int

const (
	millis   form = iota // a number of milliseconds; negative for none
	timespec             // the address of a struct timespec; 0 for none
	timeval              // the address of a struct timeval; 0 for none
	request              // as timespec, and there must be one
)

// Timeout is a limit that a call sleeps with.
type Timeout struct {
	// Limit is how long from now, or since the clock's zero where Absolute.
	Limit    time.Duration
	Absolute bool
	Clock    int // for Absolute: CLOCK_REALTIME, CLOCK_MONOTONIC and so on
	// Argument is the one to replace by Forever for the call to sleep for ever; or -1,
	// and the request at Address is to be overwritten.
	Argument int
	Forever  uint64
	Address  uint64
	// Result is what the call returns when its time is up.
	Result int64
	// Nap marks a short sleep of a language's own runtime, such as that of the thread
	// with which Go watches the others. It stays in real time.
	Nap bool
}

// napLimit is the longest sleep of Go's sysmon.
const napLimit = 10 * time.Millisecond

type rule struct {
	argument int
	form     form
	result   int64
}

var rules = map[uint64]rule{
	unix.SYS_EPOLL_PWAIT:     {3, millis, 0},
	unix.SYS_EPOLL_PWAIT2:    {3, timespec, 0},
	unix.SYS_PPOLL:           {2, timespec, 0},
	unix.SYS_PSELECT6:        {4, timespec, 0},
	unix.SYS_RT_SIGTIMEDWAIT: {2, timespec, -int64(unix.EAGAIN)},
	unix.SYS_FUTEX:           {3, timespec, -int64(unix.ETIMEDOUT)},
	unix.SYS_NANOSLEEP:       {0, request, 0},
	unix.SYS_CLOCK_NANOSLEEP: {2, request, 0},
}

// Sleeps says whether a call is one that can be told how long to sleep. It may have no limit.
func Sleeps(c trace.Call) bool {
	_, ok := rules[c.Number]
	return ok
}

// TimeoutOf reads the limit of a call from its arguments; false where it has none.
func TimeoutOf(c trace.Call, memory Memory) (Timeout, bool) {
	r, ok := rules[c.Number]
	if !ok || c.Number == unix.SYS_FUTEX && !sleepsOnFutex(c) {
		return Timeout{}, false
	}
	t := Timeout{Argument: r.argument, Result: r.result}
	if r.form == millis {
		limit := int32(c.Args[r.argument])
		t.Limit, t.Forever = time.Duration(limit)*time.Millisecond, ^uint64(0)
		return t, limit > 0
	}
	address := c.Args[r.argument]
	if address == 0 || !t.read(r.form, address, memory) || t.Limit == 0 && !t.Absolute {
		return Timeout{}, false
	}
	if r.form == request {
		t.Argument, t.Address = -1, address
	}
	t.absolute(c)
	t.Nap = c.Number == unix.SYS_NANOSLEEP && t.Limit <= napLimit
	return t, true
}

func (t *Timeout) read(f form, address uint64, memory Memory) bool {
	var raw [16]byte
	if memory.Read(raw[:], address) != nil {
		return false
	}
	unit := time.Nanosecond
	if f == timeval {
		unit = time.Microsecond
	}
	seconds, rest := int64(binary.NativeEndian.Uint64(raw[:])), int64(binary.NativeEndian.Uint64(raw[8:]))
	const most = 1 << 32 // a few hundred years is for ever too, and no overflow
	if seconds < 0 || rest < 0 {
		return false
	}
	t.Limit = time.Duration(min(seconds, most))*time.Second + time.Duration(rest)*unit
	return true
}

// What futex(2) is asked to do.
const (
	futexCommand    = 0x7f
	futexWait       = 0
	futexLockPI     = 6
	futexWaitBitset = 9
	futexRequeuePI  = 11
	futexLockPI2    = 13
	futexRealtime   = 256
)

// Parks says whether a call sleeps until another thread wakes its futex, or a signal comes.
func Parks(c trace.Call) bool { return c.Number == unix.SYS_FUTEX && sleepsOnFutex(c) }

// Wakes says whether a call may end the sleep of one that parks.
func Wakes(c trace.Call) bool {
	switch c.Number {
	case unix.SYS_FUTEX:
		return !sleepsOnFutex(c)
	case unix.SYS_KILL, unix.SYS_TKILL, unix.SYS_TGKILL, unix.SYS_PIDFD_SEND_SIGNAL,
		unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_EXECVE, unix.SYS_EXECVEAT:
		return true
	}
	return false
}

func sleepsOnFutex(c trace.Call) bool {
	switch c.Args[1] & futexCommand {
	case futexWait, futexLockPI, futexWaitBitset, futexRequeuePI, futexLockPI2:
		return true
	}
	return false
}

// absolute tells a moment from a length of time.
func (t *Timeout) absolute(c trace.Call) {
	switch c.Number {
	case unix.SYS_FUTEX:
		command := c.Args[1] & futexCommand
		t.Absolute, t.Clock = command != futexWait, unix.CLOCK_MONOTONIC
		if c.Args[1]&futexRealtime != 0 || command == futexLockPI {
			t.Clock = unix.CLOCK_REALTIME
		}
	case unix.SYS_CLOCK_NANOSLEEP:
		const absolute = 1 // TIMER_ABSTIME
		t.Absolute, t.Clock = c.Args[1]&absolute != 0, int(int32(c.Args[0]))
	}
}

// Forever is as long as a sleeper can be told to sleep that must be told a length.
const Forever = 200 * 365 * 24 * time.Hour

// Rewrite changes the length of a sleep that must be told one, and returns what puts
// the request back.
func (t Timeout) Rewrite(memory Memory, length time.Duration) (undo func() error, err error) {
	var old [16]byte
	if err := memory.Read(old[:], t.Address); err != nil {
		return nil, err
	}
	undo = func() error { return memory.Write(old[:], t.Address) }
	return undo, write(memory, t.Address, length, time.Nanosecond)
}

// untimed are calls that tell the time, or wait for it, in ways that are not ours.
var untimed = map[uint64]string{
	unix.SYS_TIMER_SETTIME:   "timer_settime",
	unix.SYS_SETITIMER:       "setitimer",
	unix.SYS_IO_URING_ENTER:  "io_uring_enter",
	unix.SYS_IO_GETEVENTS:    "io_getevents",
	unix.SYS_SEMTIMEDOP:      "semtimedop",
	unix.SYS_MQ_TIMEDRECEIVE: "mq_timedreceive",
}

// Untimed names a call by which real time gets into a target; empty for the others.
func Untimed(c trace.Call) string { return untimed[c.Number] }
