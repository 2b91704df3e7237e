package tracer

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/clock"
	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// timer is one of the target's timerfds. It never runs by itself: what the target sets is
// noted in the clock, and the timer is rung through a duplicate of the file.
type timer struct {
	file     int
	interval time.Duration
}

// sleeper is the number by which the clock knows the timer of a file descriptor: no
// thread's. It leads back too, from that number to the descriptor.
func sleeper(fd int) int { return -1 - fd }

// setTimer takes over what timerfd_settime(2) has just set.
func (t *tracer) setTimer(c trace.Call) {
	fd := int(int32(c.Args[0]))
	t.dropTimer(fd)
	interval, value, err := t.readTimer(c.Args[2])
	if err == nil && value == 0 {
		return
	}
	limit := clock.Timeout{Limit: value, Absolute: c.Args[1]&unix.TFD_TIMER_ABSTIME != 0}
	if text, ok := infoLine(t.target, fd, "clockid:"); ok {
		limit.Clock, _ = strconv.Atoi(text)
	}
	file := -1
	if err == nil {
		file, err = takeFile(t.target, fd)
	}
	if err == nil {
		err = unix.TimerfdSettime(file, 0, &unix.ItimerSpec{}, nil)
	}
	if err != nil {
		t.untimed["timerfd_settime"] = true
		_ = unix.Close(file)
		return
	}
	t.timers[fd] = timer{file, interval}
	t.clock.Sleep(sleeper(fd), limit)
}

// readTimer reads a struct itimerspec.
func (t *tracer) readTimer(address uint64) (interval, value time.Duration, err error) {
	var raw [32]byte
	err = t.memory.Read(raw[:], address)
	word := func(i int) time.Duration {
		return time.Duration(binary.NativeEndian.Uint64(raw[8*i:]))
	}
	return word(0)*time.Second + word(1), word(2)*time.Second + word(3), err
}

// takeFile duplicates a file of another process, which a tracer may
// (pidfd_getfd(2), Linux 5.6).
func takeFile(pid, fd int) (int, error) {
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1, fmt.Errorf("open process %d: %w", pid, err)
	}
	defer unix.Close(process)
	return unix.PidfdGetfd(process, fd, 0)
}

// dropTimer forgets a timer that was set anew or closed.
func (t *tracer) dropTimer(fd int) {
	if timer, ok := t.timers[fd]; ok {
		_ = unix.Close(timer.file)
		delete(t.timers, fd)
		t.clock.Wake(sleeper(fd))
	}
}

// ringLimit bounds the kernel's way from a timer in the past to its end.
const ringLimit = time.Second

// ring ends a timer. It returns when those who wait for it are awake.
func (t *tracer) ring(fd int) error {
	timer := t.timers[fd]
	if timer.interval > 0 {
		t.clock.Sleep(sleeper(fd), clock.Timeout{Limit: timer.interval})
	}
	past := unix.ItimerSpec{Value: unix.Timespec{Nsec: 1}}
	if err := unix.TimerfdSettime(timer.file, unix.TFD_TIMER_ABSTIME, &past, nil); err != nil {
		return fmt.Errorf("ring a timer: %w", err)
	}
	ready := []unix.PollFd{{Fd: int32(timer.file), Events: unix.POLLIN}}
	_, err := unix.Poll(ready, int(ringLimit.Milliseconds()))
	return err
}
