package tracer

import (
	"io"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// busyOn keeps that CPU busy until the test has ended.
func busyOn(t *testing.T, cpu unix.CPUSet) {
	var over atomic.Bool
	var spinning sync.WaitGroup
	t.Cleanup(func() { over.Store(true); spinning.Wait() })
	started := make(chan error)
	spinning.Go(func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its affinity
		started <- unix.SchedSetaffinity(0, &cpu)
		for turns := 0; !over.Load(); turns++ {
		}
	})
	if err := <-started; err != nil {
		t.Fatal(err)
	}
}

// Who is woken waits for a CPU at first. It is not asleep then, though it has had no turn.
func TestWhoWasWokenDoesNotSleep(t *testing.T) {
	cat := exec.Command("cat")
	in, err := cat.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	cat.Stdout = io.Discard
	if err := cat.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cat.Wait() })
	seat, err := trace.OpenSeat(cat.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(seat.Close)
	th := &thread{tid: cat.Process.Pid, seat: seat}
	wait := await.Wait{For: "cat asleep", Every: time.Millisecond, Limit: await.Broken}
	err = wait.Until(t.Context(), func() (any, bool, error) { return th.doing(), th.look(), nil })
	if err != nil {
		t.Fatal(err)
	}

	var cpu unix.CPUSet
	cpu.Set(0)
	if err := unix.SchedSetaffinity(cat.Process.Pid, &cpu); err != nil {
		t.Fatal(err)
	}
	idle := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}
	if err := unix.SchedSetAttr(cat.Process.Pid, &idle, 0); err != nil {
		t.Fatal(err)
	}
	busyOn(t, cpu)
	for range 20 {
		before := th.sleep
		if _, err := io.WriteString(in, "x"); err != nil {
			t.Fatal(err)
		}
		if th.look() && seat.Unmoved(before) {
			t.Fatal("it was woken, has not run, and is said to sleep")
		}
	}
}
