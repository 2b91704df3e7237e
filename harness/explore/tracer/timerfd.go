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
	number   int // by which the clock knows it, no thread's
	files    int // file descriptors that the target has for it
	file     int // the duplicate; -1 until it is set
	interval time.Duration
}

// newTimer makes a timer known by its first file descriptor.
func (t *tracer) newTimer(fd int) *timer {
	t.unlink(fd)
	t.lastTimer--
	t.timers[fd] = &timer{number: t.lastTimer, files: 1, file: -1}
	return t.timers[fd]
}

// setTimer takes over what timerfd_settime(2) has just set.
func (t *tracer) setTimer(c trace.Call) {
	timer := t.timers[fd(c)]
	if timer == nil { // it is older than the target's execve
		timer = t.newTimer(fd(c))
	}
	interval, value, err := t.readTimer(c.Args[2])
	if before := c.Args[3]; err == nil && before != 0 {
		err = t.tellTimer(timer, before)
	}
	t.clock.Wake(timer.number)
	timer.interval = interval
	if err == nil && value == 0 {
		return
	}
	limit := clock.Timeout{Limit: value, Absolute: c.Args[1]&unix.TFD_TIMER_ABSTIME != 0}
	if text, ok := infoLine(t.target, fd(c), "clockid:"); ok {
		limit.Clock, _ = strconv.Atoi(text)
	}
	if err == nil && timer.file < 0 {
		timer.file, err = takeFile(t.target, fd(c))
	}
	if err == nil {
		err = unix.TimerfdSettime(timer.file, 0, &unix.ItimerSpec{}, nil)
	}
	if err != nil {
		t.untimed["timerfd_settime"] = true
		return
	}
	t.clock.Sleep(timer.number, limit)
}

// askTimer corrects what timerfd_gettime(2) has just said.
func (t *tracer) askTimer(c trace.Call) {
	timer := t.timers[fd(c)]
	if timer == nil || timer.file < 0 {
		return // it is what the kernel says
	}
	if t.tellTimer(timer, c.Args[1]) != nil {
		t.untimed["timerfd_gettime"] = true
	}
}

// tellTimer writes a timer's state as a struct itimerspec.
func (t *tracer) tellTimer(timer *timer, address uint64) error {
	var raw []byte
	for _, d := range []time.Duration{timer.interval, t.clock.Left(timer.number)} {
		raw = binary.NativeEndian.AppendUint64(raw, uint64(d/time.Second))
		raw = binary.NativeEndian.AppendUint64(raw, uint64(d%time.Second))
	}
	return t.memory.Write(raw, address)
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

// dropTimer forgets a file descriptor that was closed, and with the last one the timer.
func (t *tracer) dropTimer(fd int) {
	timer := t.timers[fd]
	if timer == nil {
		return
	}
	delete(t.timers, fd)
	if timer.files--; timer.files == 0 {
		_ = unix.Close(timer.file)
		t.clock.Wake(timer.number)
	}
}

// ringLimit bounds the kernel's way from a timer in the past to its end.
const ringLimit = time.Second

// ring ends a timer. It returns when those who wait for it are awake.
func (t *tracer) ring(number int) error {
	timer := t.timerOf(number)
	if timer == nil {
		return nil
	}
	if timer.interval > 0 {
		t.clock.Sleep(number, clock.Timeout{Limit: timer.interval})
	}
	past := unix.ItimerSpec{Value: unix.Timespec{Nsec: 1}}
	if err := unix.TimerfdSettime(timer.file, unix.TFD_TIMER_ABSTIME, &past, nil); err != nil {
		return fmt.Errorf("ring a timer: %w", err)
	}
	ready := []unix.PollFd{{Fd: int32(timer.file), Events: unix.POLLIN}}
	_, err := unix.Poll(ready, int(ringLimit.Milliseconds()))
	return err
}

// timerOf is nil for a number that the clock has of nobody's.
func (t *tracer) timerOf(number int) *timer {
	for _, timer := range t.timers {
		if timer.number == number {
			return timer
		}
	}
	return nil
}
