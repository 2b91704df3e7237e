package clock

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// ram is a target's memory from address base on.
type ram []byte

const base = 0x1000

func (r ram) Read(p []byte, address uint64) error {
	if address < base || int(address-base)+len(p) > len(r) {
		return errors.New("bad address")
	}
	copy(p, r[address-base:])
	return nil
}

func (r ram) Write(p []byte, address uint64) error {
	if address < base || int(address-base)+len(p) > len(r) {
		return errors.New("bad address")
	}
	copy(r[address-base:], p)
	return nil
}

func memory(words ...uint64) ram {
	var r ram
	for _, w := range words {
		r = binary.NativeEndian.AppendUint64(r, w)
	}
	return r
}

func TestLimitsOfSleepsAreRead(t *testing.T) {
	second := memory(1, 5_000_000) // 1.005 s
	minus := ^uint64(0)
	for name, c := range map[string]struct {
		call trace.Call
		want time.Duration // 0 for none
		nap  bool
		abs  bool
	}{
		"epoll_pwait 20":            {trace.Call{Number: unix.SYS_EPOLL_PWAIT, Args: [6]uint64{4, 0, 1, 20}}, 20 * time.Millisecond, false, false},
		"epoll_pwait for ever":      {trace.Call{Number: unix.SYS_EPOLL_PWAIT, Args: [6]uint64{4, 0, 1, minus}}, 0, false, false},
		"epoll_pwait look":          {trace.Call{Number: unix.SYS_EPOLL_PWAIT, Args: [6]uint64{4, 0, 1, 0}}, 0, false, false},
		"futex wait":                {trace.Call{Number: unix.SYS_FUTEX, Args: [6]uint64{1, 128, 0, base}}, 1005 * time.Millisecond, false, false},
		"futex wait for ever":       {trace.Call{Number: unix.SYS_FUTEX, Args: [6]uint64{1, 128, 0, 0}}, 0, false, false},
		"futex wake":                {trace.Call{Number: unix.SYS_FUTEX, Args: [6]uint64{1, 129, 1, base}}, 0, false, false},
		"futex wait until":          {trace.Call{Number: unix.SYS_FUTEX, Args: [6]uint64{1, 137, 0, base}}, 1005 * time.Millisecond, false, true},
		"ppoll":                     {trace.Call{Number: unix.SYS_PPOLL, Args: [6]uint64{0, 0, base}}, 1005 * time.Millisecond, false, false},
		"clock_nanosleep until":     {trace.Call{Number: unix.SYS_CLOCK_NANOSLEEP, Args: [6]uint64{1, 1, base}}, 1005 * time.Millisecond, false, true},
		"nanosleep":                 {trace.Call{Number: unix.SYS_NANOSLEEP, Args: [6]uint64{base}}, 1005 * time.Millisecond, false, false},
		"nanosleep from bad memory": {trace.Call{Number: unix.SYS_NANOSLEEP, Args: [6]uint64{1}}, 0, false, false},
	} {
		got, ok := TimeoutOf(c.call, second)
		if ok != (c.want > 0) || ok && (got.Limit != c.want || got.Nap != c.nap || got.Absolute != c.abs) {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
	if got, ok := TimeoutOf(trace.Call{Number: unix.SYS_NANOSLEEP, Args: [6]uint64{base}}, memory(0, 20_000)); !ok || !got.Nap {
		t.Errorf("a nap of 20 us: %+v, %v", got, ok)
	}
}

func TestARewrittenSleepIsPutBack(t *testing.T) {
	m := memory(1, 5)
	call := trace.Call{Number: unix.SYS_NANOSLEEP, Args: [6]uint64{base}}
	limit, _ := TimeoutOf(call, m)
	undo, err := limit.Rewrite(m, Forever)
	if err != nil {
		t.Fatal(err)
	}
	if long, ok := TimeoutOf(call, m); !ok || long.Limit < 100*365*24*time.Hour {
		t.Errorf("rewritten as %+v", long)
	}
	if err := undo(); err != nil || !slices.Equal(m, memory(1, 5)) {
		t.Errorf("put back as %v, error %v", m, err)
	}
}

func TestAFrozenClockMovesWhenItIsToldTo(t *testing.T) {
	c := New()
	c.Freeze()
	before := c.Now()
	time.Sleep(5 * time.Millisecond)
	if now := c.Now(); now != before {
		t.Errorf("it moved by %v", now-before)
	}
	c.Sleep(7, Timeout{Limit: 200 * time.Millisecond})
	c.Sleep(8, Timeout{Limit: 100 * time.Millisecond})
	if left, none := c.Left(7), c.Left(9); left != 200*time.Millisecond || none != 0 {
		t.Errorf("a sleeper has %v left, and who does not sleep %v", left, none)
	}
	c.Advance(150 * time.Millisecond)
	if due := c.Due(); !slices.Equal(due, []int{8}) {
		t.Errorf("due %v", due)
	}
	if left := c.Timers(); !slices.Equal(left, []time.Duration{0, 50 * time.Millisecond}) {
		t.Errorf("left %v", left)
	}
	c.Thaw()
	if now := c.Now(); now < before+150*time.Millisecond || now > before+10*time.Second {
		t.Errorf("after it was thawed: %v later", now-before)
	}
}

// Who sleeps until a time of day wakes when that has come, and nobody else by it.
func TestTheWallClockIsSet(t *testing.T) {
	c := New()
	c.Freeze()
	for thread, by := range []int{unix.CLOCK_REALTIME, unix.CLOCK_MONOTONIC} {
		until := c.start[by] + c.Now() + time.Hour
		c.Sleep(thread, Timeout{Limit: until, Absolute: true, Clock: by})
	}
	const relative = 2
	c.Sleep(relative, Timeout{Limit: time.Hour, Clock: unix.CLOCK_REALTIME})
	for _, step := range []struct {
		by   time.Duration
		due  []int
		left time.Duration
	}{
		{30 * time.Minute, nil, 30 * time.Minute},
		{time.Hour, []int{0}, 0},
		{-3 * time.Hour, nil, 150 * time.Minute},
	} {
		before := c.Now()
		c.Set(step.by)
		if due := c.Due(); !slices.Equal(due, step.due) || c.Left(0) != step.left {
			t.Errorf("set by %v: due %v, %v left", step.by, due, c.Left(0))
		}
		if c.Left(1) != time.Hour || c.Left(relative) != time.Hour || c.Now() != before {
			t.Errorf("set by %v: others have %v and %v left, and %v passed", step.by, c.Left(1),
				c.Left(relative), c.Now()-before)
		}
	}
}

func TestWhatTheKernelSaysOfTheTimeIsCorrected(t *testing.T) {
	c := New()
	c.Freeze()
	m := memory(9, 9)
	call := trace.Call{Number: unix.SYS_CLOCK_GETTIME, Args: [6]uint64{unix.CLOCK_MONOTONIC, base}}
	read := func() time.Duration {
		if result, err := c.Tell(call, m, 0); result != 0 || err != nil {
			t.Fatal(result, err)
		}
		return time.Duration(binary.NativeEndian.Uint64(m))*time.Second + time.Duration(binary.NativeEndian.Uint64(m[8:]))
	}
	first := read()
	c.Advance(20 * time.Second)
	if later := read() - first; later != 20*time.Second+look {
		t.Errorf("20 s later it says %v later", later)
	}
}

// What is at 0x7fff0000 is no code that could be replaced.
func TestAFastClockThatCannotBeReplacedIsHidden(t *testing.T) {
	// argc, argv[0], 0, envp[0], 0, and the auxiliary vector.
	stack := memory(1, 0xa, 0, 0xe, 0, 6, 4096, atVDSO, 0x7fff0000, 25, 1, atNull, 0)
	if fast, err := TakeFast(stack, base); fast != nil || err != nil {
		t.Fatal(fast, err)
	}
	if !slices.Equal(stack, memory(1, 0xa, 0, 0xe, 0, 6, 4096, atIgnore, 0x7fff0000, 25, 1, atNull, 0)) {
		t.Errorf("got %v", stack)
	}
	if _, err := TakeFast(memory(1, 0xa, 0), base); err == nil {
		t.Error("a stack that ends in the middle was taken")
	}
}

func TestATimerKeepsItsName(t *testing.T) {
	for ms, want := range map[int]int{
		0: 0, 20: 20, 19: 20, 100: 100, 101: 100, 95: 100, 84: 100, 200: 200, 190: 200, 300: 300,
		1000: 1000, 930: 1000, 5000: 5000,
	} {
		if got := Millis(time.Duration(ms) * time.Millisecond); got != want {
			t.Errorf("%d ms: time%d, want time%d", ms, got, want)
		}
	}
}
