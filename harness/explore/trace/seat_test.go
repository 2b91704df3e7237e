package trace

import (
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/await"
)

// seatOf starts a command that ends with the test.
func seatOf(t *testing.T, name string, args ...string) (*Seat, int) {
	t.Helper()
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	seat, err := OpenSeat(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(seat.Close)
	return seat, cmd.Process.Pid
}

func asleep(t *testing.T, s *Seat, unlike Sleep) (seen Sleep) {
	t.Helper()
	err := await.Wait{For: "a new sleep", Every: time.Millisecond, Limit: await.Broken}.Until(
		t.Context(), func() (any, bool, error) {
			var ok bool
			seen, ok = s.Look()
			return seen, ok && seen.Turns != unlike.Turns && naps(seen), nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// naps says whether it is sleep(1)'s own call, as it is or as the kernel restarts it.
func naps(s Sleep) bool {
	return s.Call.Number == unix.SYS_CLOCK_NANOSLEEP || s.Call.Number == unix.SYS_NANOSLEEP ||
		s.Call.Number == unix.SYS_RESTART_SYSCALL
}

func TestWhoHasMovedIsKnownByItsTurns(t *testing.T) {
	seat, pid := seatOf(t, "sleep", "1000")
	first := asleep(t, seat, Sleep{})
	if !seat.Sleeps() || !seat.Unmoved(first) {
		t.Errorf("asleep in one call: sleeps %v, unmoved %v", seat.Sleeps(), seat.Unmoved(first))
	}
	for _, sig := range []unix.Signal{unix.SIGSTOP, unix.SIGCONT} {
		if err := unix.Kill(pid, sig); err != nil {
			t.Fatal(err)
		}
	}
	second := asleep(t, seat, first)
	if seat.Unmoved(first) || !seat.Unmoved(second) {
		t.Errorf("it went on in between, %+v then %+v: unmoved %v and %v", first, second,
			seat.Unmoved(first), seat.Unmoved(second))
	}
}

func TestWhoIsToRunDoesNotSleep(t *testing.T) {
	seat, _ := seatOf(t, "sh", "-c", "i=0; while [ $i -lt 100000000 ]; do i=$((i+1)); done")
	err := await.Wait{For: "a loop that runs", Every: time.Millisecond, Limit: await.Broken}.Until(
		t.Context(), func() (any, bool, error) { // its start reads files
			_, ok := seat.Look()
			return ok, !ok && !seat.Sleeps(), nil
		})
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, ok := seat.Look(); ok || seat.Sleeps() {
			t.Fatal("a loop that has or waits for a CPU sleeps")
		}
	}
}

func TestWhoHasGoneDoesNotSleep(t *testing.T) {
	seat, pid := seatOf(t, "sleep", "1000")
	asleep(t, seat, Sleep{})
	if err := unix.Kill(pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	err := await.Wait{For: "the end", Every: time.Millisecond, Limit: await.Broken}.Until(
		t.Context(), func() (any, bool, error) { return seat.Ended(), seat.Ended(), nil })
	if _, ok := seat.Look(); ok || err != nil {
		t.Errorf("it has ended (%v) and sleeps: %v", err, ok)
	}
}
