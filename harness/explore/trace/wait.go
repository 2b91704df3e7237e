package trace

import (
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Wait returns the next stop, and false where there is none at the moment.
func Wait() (Stop, bool, error) {
	for {
		stop, ok, err := wait(unix.WNOHANG)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, ErrNobody):
			return stop, false, nil
		}
		return stop, ok, err
	}
}

// ErrNobody means that the calling thread traces nobody.
var ErrNobody = errors.New("nobody is traced")

// Next is Wait that sleeps until there is a stop. It returns false where an alarm has
// ended the sleep, and ErrNobody where there is nothing to wait for.
func Next() (Stop, bool, error) {
	stop, ok, err := wait(0)
	if errors.Is(err, unix.EINTR) {
		return stop, false, nil
	}
	return stop, ok, err
}

func wait(options int) (s Stop, ok bool, err error) {
	s.TID, err = unix.Wait4(-1, &s.Status, unix.WALL|wnothread|options, nil)
	switch {
	case errors.Is(err, unix.ECHILD):
		err = ErrNobody
	case err != nil:
		err = fmt.Errorf("wait for a stop: %w", err)
	}
	return s, s.TID > 0 && err == nil, err
}

// wnothread leaves the children of other threads alone, which os/exec waits for.
const wnothread = 0x20000000

// LetAlarms has SIGALRM end the waits in Next of this process's main thread. The kernel would
// go on with them otherwise, since Go asks it to (sigaction(2), SA_RESTART).
func LetAlarms() error {
	const restart = 0x10000000
	var action struct{ handler, flags, restorer, mask uintptr }
	err := sigaction(nil, unsafe.Pointer(&action), unsafe.Sizeof(action.mask))
	if err == nil {
		action.flags &^= restart
		err = sigaction(unsafe.Pointer(&action), nil, unsafe.Sizeof(action.mask))
	}
	if err != nil {
		return fmt.Errorf("let SIGALRM end waits: %w", err)
	}
	return nil
}

func sigaction(set, get unsafe.Pointer, size uintptr) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGALRM), uintptr(set),
		uintptr(get), size, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// again is how soon an alarm comes once more: one that came before the sleep had begun
// has ended none.
const again = time.Millisecond

// SetAlarm rings after a while, and then again and again until it is set anew.
func SetAlarm(after time.Duration) error {
	value := unix.NsecToTimeval(int64(max(after, time.Microsecond)))
	interval := unix.NsecToTimeval(int64(again))
	_, err := unix.Setitimer(unix.ITIMER_REAL, unix.Itimerval{Interval: interval, Value: value})
	return err
}

// StopAlarm keeps it from ringing.
func StopAlarm() error {
	_, err := unix.Setitimer(unix.ITIMER_REAL, unix.Itimerval{})
	return err
}

// Ring is an alarm at once. Any thread may call it, again and again until it is heard.
func Ring() { _ = unix.Tgkill(os.Getpid(), os.Getpid(), unix.SIGALRM) }
