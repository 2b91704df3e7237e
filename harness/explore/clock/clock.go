package clock

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// Clock is a target's time. It follows the machine's until it is frozen; from then
// on it moves by Advance, and a little with each look at it, so that nobody spins for
// ever until it changes. The zero Clock is of no use: see New.
type Clock struct {
	began    time.Time             // when it began, by this process's clock
	start    map[int]time.Duration // what each of the target's clocks said then
	elapsed  time.Duration         // the target's time since
	behind   time.Duration         // what the machine's has gained on it since
	frozen   bool
	fast     *Fast           // what says the same without a system call
	sleepers map[int]sleeper // by thread
}

// sleeper is when a sleep's time is up, by one of the target's clocks.
type sleeper struct {
	at time.Duration
	by int
}

// look is what a frozen clock moves by when somebody asks the kernel for the time.
const look = time.Microsecond

// New begins a clock that says what the machine's says.
func New() *Clock {
	c := &Clock{began: time.Now(), start: map[int]time.Duration{}, sleepers: map[int]sleeper{}}
	for _, id := range []int{
		unix.CLOCK_REALTIME, unix.CLOCK_MONOTONIC, unix.CLOCK_MONOTONIC_RAW, unix.CLOCK_REALTIME_COARSE,
		unix.CLOCK_MONOTONIC_COARSE, unix.CLOCK_BOOTTIME, unix.CLOCK_TAI,
	} {
		var ts unix.Timespec
		if unix.ClockGettime(int32(id), &ts) == nil {
			c.start[id] = time.Duration(ts.Nano())
		}
	}
	return c
}

// Show has the target read a frozen clock through fast as well, which may be nil. The
// target does not run meanwhile.
func (c *Clock) Show(fast *Fast) {
	c.fast = fast
	c.move(0)
}

// Freeze stops the clock; Thaw lets it follow the machine's from where it is.
func (c *Clock) Freeze() {
	c.follow()
	c.frozen = true
	c.move(0)
}

// Frozen says whether it stands still.
func (c *Clock) Frozen() bool { return c.frozen }

// Thaw undoes Freeze.
func (c *Clock) Thaw() {
	if c.frozen {
		c.elapsed = c.Now()
		c.behind = time.Since(c.began) - c.elapsed
	}
	c.frozen = false
	c.fast.say(nil, 0)
}

func (c *Clock) follow() {
	if !c.frozen {
		c.elapsed = max(c.elapsed, time.Since(c.began)-c.behind)
	}
}

// Now is the target's time since New.
func (c *Clock) Now() time.Duration {
	c.follow()
	if !c.frozen {
		return c.elapsed
	}
	return c.elapsed + c.fast.looks()
}

// Advance moves a frozen clock, while the target does not run.
func (c *Clock) Advance(by time.Duration) { c.move(by) }

// Set puts the wall clock forward, or back where by is negative. No time passes by that: the
// other clocks stay as they are, and so does a sleep, but for one until a time of day
// (clock_settime(2)).
func (c *Clock) Set(by time.Duration) {
	for _, id := range []int{unix.CLOCK_REALTIME, unix.CLOCK_REALTIME_COARSE, unix.CLOCK_TAI} {
		c.start[id] += by
	}
	c.move(0)
}

// move is Advance of a clock that is frozen, and nothing else of one that is not.
func (c *Clock) move(by time.Duration) {
	if !c.frozen {
		return
	}
	c.elapsed = c.Now() + by
	c.fast.say(c.start, c.elapsed)
}

// Sleep notes that a thread sleeps until its time is up.
func (c *Clock) Sleep(thread int, t Timeout) {
	if t.Absolute {
		c.sleepers[thread] = sleeper{t.Limit, t.Clock}
		return
	}
	const steady = unix.CLOCK_MONOTONIC
	c.sleepers[thread] = sleeper{c.start[steady] + c.Now() + t.Limit, steady}
}

// until is the target's time at which a sleeper's time is up.
func (c *Clock) until(s sleeper) time.Duration { return s.at - c.start[s.by] }

// Wake forgets the sleeper.
func (c *Clock) Wake(thread int) { delete(c.sleepers, thread) }

// Left is how long a thread still sleeps; 0 for one that does not.
func (c *Clock) Left(thread int) time.Duration {
	s, ok := c.sleepers[thread]
	if !ok {
		return 0
	}
	return max(0, c.until(s)-c.Now())
}

// Timers are how long it is to the end of each sleep, the next one first; past ones
// are 0.
func (c *Clock) Timers() []time.Duration {
	now := c.Now()
	var left []time.Duration
	for _, s := range c.sleepers {
		left = append(left, max(0, c.until(s)-now))
	}
	slices.Sort(left)
	return left
}

// Due are the threads whose time is up, the first one first.
func (c *Clock) Due() []int {
	now := c.Now()
	var due []int
	for thread, s := range c.sleepers {
		if c.until(s) <= now {
			due = append(due, thread)
		}
	}
	slices.SortFunc(due, func(a, b int) int {
		return cmp.Or(cmp.Compare(c.until(c.sleepers[a]), c.until(c.sleepers[b])), cmp.Compare(a, b))
	})
	return due
}

// tell writes the time as a call would have; the result is what it returns.
type tell func(c *Clock, call trace.Call, memory Memory, result int64) (int64, error)

var telling = map[uint64]tell{
	unix.SYS_CLOCK_GETTIME: tellClock,
	unix.SYS_GETTIMEOFDAY:  tellTimeOfDay,
}

// Tells says whether a call asks for the time.
func Tells(call trace.Call) bool { return telling[call.Number] != nil }

// Tell corrects what a call has just said of the time, and returns its result.
func (c *Clock) Tell(call trace.Call, memory Memory, result int64) (int64, error) {
	if result < 0 {
		return result, nil
	}
	c.move(look)
	return telling[call.Number](c, call, memory, result)
}

func tellClock(c *Clock, call trace.Call, memory Memory, result int64) (int64, error) {
	start, ours := c.start[int(int32(call.Args[0]))]
	if !ours {
		return result, nil // the time that a process or thread has used
	}
	return result, write(memory, call.Args[1], start+c.Now(), time.Nanosecond)
}

func tellTimeOfDay(c *Clock, call trace.Call, memory Memory, result int64) (int64, error) {
	return result, write(memory, call.Args[0], c.start[unix.CLOCK_REALTIME]+c.Now(), time.Microsecond)
}

// tellTime is for time(2), which arm64 does not have.
func tellTime(c *Clock, call trace.Call, memory Memory, _ int64) (int64, error) {
	seconds := int64((c.start[unix.CLOCK_REALTIME] + c.Now()) / time.Second)
	if call.Args[0] == 0 {
		return seconds, nil
	}
	return seconds, memory.Write(binary.NativeEndian.AppendUint64(nil, uint64(seconds)), call.Args[0])
}

func write(memory Memory, address uint64, t, unit time.Duration) error {
	if address == 0 {
		return nil
	}
	return memory.Write(appendTime(nil, t, unit), address)
}

// appendTime is for a struct timespec, or of another unit a struct timeval.
func appendTime(raw []byte, t, unit time.Duration) []byte {
	raw = binary.NativeEndian.AppendUint64(raw, uint64(t/time.Second))
	return binary.NativeEndian.AppendUint64(raw, uint64(t%time.Second/unit))
}

// Millis is a length of time as the name of a step has it: up to a fifth more, in round
// numbers. One and the same timer has less left from run to run, by looks at the clock, and
// by the shorter timers that were over before it.
func Millis(d time.Duration) int {
	const rounding = 2 // a call that counts in milliseconds has rounded up
	ms, step := int(d.Milliseconds())-rounding, 5
	switch {
	case ms >= 500:
		step = 100
	case ms >= 50:
		step = 20
	}
	return max(0, (ms+step-1)/step*step)
}
