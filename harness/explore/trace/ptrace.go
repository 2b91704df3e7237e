// Package trace is what ptrace(2) lets one process do to another: seize it, see
// each stop, read and write its registers and memory, and say whether a thread
// sleeps.
//
// Wait, or Next, and Resume are the front door. The kernel takes orders only from the
// thread that seized, so one locked OS thread must make every call of this package but
// those of Seat, Ring and TracerOf. Nothing here knows what a stop means: package event does.
package trace

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Options are what every seized process is seen doing.
const Options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK |
	unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_TRACEEXIT

// How a stopped thread goes on.
type How int

const (
	// ToCall stops again at the next entry to or exit from a system call.
	ToCall How = unix.PTRACE_SYSCALL
	// Freely stops at events and signals only.
	Freely How = unix.PTRACE_CONT
	// Stopped leaves a thread in its group-stop and reports what ends that.
	Stopped How = unix.PTRACE_LISTEN
)

// ErrGone means that the thread was killed meanwhile: Wait will say so.
var ErrGone = errors.New("the thread is gone")

func ptrace(request int, tid int, address, data uintptr) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), address, data, 0, 0)
	switch errno {
	case 0:
		return nil
	case unix.ESRCH:
		return ErrGone
	}
	return errno
}

// Seize makes the calling thread the tracer of a thread, which is not stopped.
// EPERM means that it may not, or that the thread has a tracer already.
func Seize(tid, options int) error {
	return ptrace(unix.PTRACE_SEIZE, tid, 0, uintptr(options))
}

// SetOptions replaces the options of a stopped thread.
func SetOptions(tid, options int) error {
	return ptrace(unix.PTRACE_SETOPTIONS, tid, 0, uintptr(options))
}

// Interrupt makes a thread stop soon. Any stop answers it, not only one of its own.
func Interrupt(tid int) error { return ptrace(unix.PTRACE_INTERRUPT, tid, 0, 0) }

// Resume lets a stopped thread go on, with a signal or, for 0, without.
func Resume(tid int, how How, signal unix.Signal) error {
	return ptrace(int(how), tid, 0, uintptr(signal))
}

// Detach lets a stopped thread go for good. One that is about to get a signal does not
// get it.
func Detach(tid int) error { return ptrace(unix.PTRACE_DETACH, tid, 0, 0) }

// EventMessage is what the last event is about: the new thread's number as the
// tracer counts, or the exit status.
func EventMessage(tid int) (int, error) {
	var message uint64
	err := ptrace(unix.PTRACE_GETEVENTMSG, tid, 0, uintptr(unsafe.Pointer(&message)))
	return int(message), err
}

// SignalInfo is the kernel's siginfo_t.
type SignalInfo [128]byte

// Signal reads the siginfo of a thread that is about to get a signal.
func Signal(tid int) (*SignalInfo, error) {
	var info SignalInfo
	err := ptrace(unix.PTRACE_GETSIGINFO, tid, 0, uintptr(unsafe.Pointer(&info)))
	return &info, err
}

// SetSignal replaces it.
func SetSignal(tid int, info *SignalInfo) error {
	return ptrace(unix.PTRACE_SETSIGINFO, tid, 0, uintptr(unsafe.Pointer(info)))
}

// Stop is one thing that happened to a traced thread.
type Stop struct {
	TID    int
	Status unix.WaitStatus
}

// Ended says that the thread is no more.
func (s Stop) Ended() bool { return s.Status.Exited() || s.Status.Signaled() }

// Call says that the thread enters or leaves a system call.
func (s Stop) Call() bool { return s.Status.StopSignal() == unix.SIGTRAP|0x80 }

// Event is one of unix.PTRACE_EVENT_*, or 0.
func (s Stop) Event() int { return int(s.Status>>16) & 0xff }

// GroupStop says that the thread has stopped since its process was told to.
func (s Stop) GroupStop() bool {
	if s.Event() != unix.PTRACE_EVENT_STOP {
		return false
	}
	switch s.Status.StopSignal() {
	case unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU:
		return true
	}
	return false
}
