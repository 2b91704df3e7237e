package process

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// These are the strategies of the field: what each promises, and what it loses by its
// nature. The second kind of test fails when somebody improves one.

// field are those that reap in this process.
var field = []string{"subscribed", "locked", "peeked", "kernel-held"}

func TestFieldStrategiesGiveCodesBack(t *testing.T) {
	for _, name := range field {
		t.Run(name, func(t *testing.T) {
			x := newExecutor(t, name, Options{})
			for _, code := range []int{0, 1, 127, 255} {
				// Long enough to be registered, whatever the machine does besides.
				got := mustRun(t, x, fmt.Sprintf("sleep 0.2; exit %d", code))
				if got.ExitCode != code {
					t.Errorf("exit code %d, want %d", got.ExitCode, code)
				}
			}
			if got := mustRun(t, x, "sleep 0.2; kill -9 $$").ExitCode; got != 137 {
				t.Errorf("exit code %d of a killed command, want 137", got)
			}
		})
	}
}

func TestFieldStrategiesReapOrphans(t *testing.T) {
	for _, name := range field {
		t.Run(name, func(t *testing.T) {
			x := newExecutor(t, name, Options{})
			mustRun(t, x, "(sleep 0.1 >/dev/null 2>&1 &)")
			eventually(t, "0 zombies and 1 orphan reaped", func() string {
				n, zombies := x.Strategy().Counts().ReapedUnmanaged, Zombies()
				if n >= 1 && zombies == 0 {
					return ""
				}
				return fmt.Sprintf("%d orphans reaped, %d zombies", n, zombies)
			})
		})
	}
}

func TestFieldStrategiesLeaveNothingOfAFailedStart(t *testing.T) {
	for _, name := range field {
		t.Run(name, func(t *testing.T) {
			s, err := NewStrategy(name, 0, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if _, err := s.Start(exec.Command("/nonexistent")); err == nil {
				t.Error("a program that is not there was started")
			}
			if n := s.Counts().Registered; n != 0 {
				t.Errorf("%d registered after a start that failed", n)
			}
			started := make(chan error, 1)
			go func() { // a lock that was not given back would stop the second one
				_, err := s.Start(exec.Command("/nonexistent"))
				started <- err
			}()
			select {
			case <-started:
			case <-time.After(patience):
				t.Errorf("no second start within %v", patience)
			}
		})
	}
}

// An exit is known by its number alone.
func TestSubscribedTakesAnOldExitForItsOwn(t *testing.T) {
	s := &Subscribed{log: slog.New(slog.DiscardHandler), subscribers: map[*subscriber]struct{}{}}
	own := s.subscribe()
	cmd := startRaw(t, "exit 7")
	const old = syscall.WaitStatus(9 << 8)
	own.offer(exit{cmd.Process.Pid, old})
	if status, err := own.wait(cmd, cmd.Process.Pid); err != nil || status.ExitStatus() != 9 {
		t.Errorf("status %v, error %v, want the older exit's 9", status, err)
	}
}

// One that does not listen is offered an exit again until it does.
func TestSubscribedTellsThoseWhoAreBehind(t *testing.T) {
	s := &Subscribed{log: slog.New(slog.DiscardHandler), subscribers: map[*subscriber]struct{}{}}
	slow, quick := s.subscribe(), s.subscribe()
	for pid := range exitBuffer {
		slow.offer(exit{pid: pid})
	}
	told := make(chan struct{})
	go s.tell(exit{pid: 1000}, told)
	if e := <-quick.exits; e.pid != 1000 {
		t.Errorf("the quick one heard of %d first", e.pid)
	}
	select {
	case <-told:
		t.Error("all were told, though one has no room")
	default:
	}
	<-slow.exits
	select {
	case <-told:
	case <-time.After(patience):
		t.Fatalf("the slow one was not told within %v after it had room", patience)
	}
}

// What the lock costs: while a command runs, the reaper waits; and behind it everyone.
func TestLockedStartsNothingBehindAReaperThatWaits(t *testing.T) {
	s := &Locked{log: slog.New(slog.DiscardHandler)}
	long := exec.Command("/bin/sh", "-c", "read line")
	stdin, err := long.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Start(long)
	if err != nil {
		t.Fatal(err)
	}
	orphan := startRaw(t, "exit 3").Process.Pid
	awaitZombie(t, orphan)
	passed, second := make(chan struct{}), make(chan Child, 1)
	go func() { s.pass(); close(passed) }()
	eventually(t, "a reaper that waits for the lock", func() string {
		if s.lock.TryRLock() {
			s.lock.RUnlock()
			return "a lock that is free for readers"
		}
		return ""
	})
	go func() {
		child, _ := s.Start(exec.Command("/bin/true"))
		second <- child
	}()
	if !isChild(orphan) || len(second) != 0 {
		t.Error("the orphan was reaped, or a command started, while another runs")
	}
	stdin.Close()
	<-first.Exited()
	<-passed
	if isChild(orphan) {
		t.Error("the orphan was not reaped when the lock was free")
	}
	<-(<-second).Exited()
}

// A child that is not registered yet looks like an orphan.
func TestPeekedTakesAChildThatIsNotRegisteredYet(t *testing.T) {
	s := &Peeked{log: slog.New(slog.DiscardHandler), managed: map[int]struct{}{}}
	pid := startRaw(t, "exit 3").Process.Pid
	awaitZombie(t, pid)
	s.pass()
	if isChild(pid) || s.Counts().ReapedUnmanaged != 1 {
		t.Error("an unregistered child was left alone")
	}
}

// Orphans behind a managed child stay.
func TestPeekedStopsAtAManagedChild(t *testing.T) {
	s := &Peeked{log: slog.New(slog.DiscardHandler), managed: map[int]struct{}{}}
	managed := startRaw(t, "exit 3").Process.Pid
	awaitZombie(t, managed)
	orphan := startRaw(t, "exit 4").Process.Pid
	awaitZombie(t, orphan)
	s.register(managed)
	s.pass()
	if !isChild(managed) || !isChild(orphan) {
		t.Error("a managed child, or an orphan behind it, was reaped")
	}
	s.unregister(managed)
	s.pass()
	if isChild(managed) || isChild(orphan) {
		t.Error("children that nobody manages were left")
	}
}

// The kernel tells after the reaper has taken the status.
func TestKernelHeldAsksAfterwards(t *testing.T) {
	if err := tryExitInfo(); err != nil {
		t.Skip(err)
	}
	s := &KernelHeld{log: slog.New(slog.DiscardHandler)}
	cmd := exec.Command("/bin/sh", "-c", "exit 42")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	awaitZombie(t, pid)
	reapRaw(t, pid)
	if status, err := s.wait(cmd, pid); err != nil || ExitCode(status) != 42 {
		t.Errorf("status %v, error %v, want exit code 42", status, err)
	}
	if got := s.Counts(); got.EchildSeen != 1 || got.EchildRecovered != 1 {
		t.Errorf("counts %+v", got)
	}
}

// An init ends with its child's code, and what it is told goes to that child.
func TestReapForTellsItsOwnChildFromOrphans(t *testing.T) {
	orphan, own := startRaw(t, "exit 4").Process.Pid, startRaw(t, "exit 3").Process.Pid
	awaitZombie(t, orphan)
	awaitZombie(t, own)
	status, ended := reapFor(own)
	if !ended || status.ExitStatus() != 3 || isChild(orphan) {
		t.Errorf("ended %v with %d, orphan left: %v", ended, status.ExitStatus(), isChild(orphan))
	}
	if _, ended := reapFor(own); ended {
		t.Error("a child ended twice")
	}
}

// Everyone is answered when the strategy is closed.
func TestSubscribedEndsThoseWhoWait(t *testing.T) {
	s := NewSubscribed(slog.New(slog.DiscardHandler))
	cmd := exec.CommandContext(context.Background(), "/bin/sh", "-c", "read line")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	child, err := s.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	select {
	case <-child.Exited():
	case <-time.After(patience):
		t.Fatalf("no answer within %v after the end of the strategy", patience)
	}
	if _, err := child.Status(); err != ErrStatusUnknown {
		t.Errorf("error %v, want %v", err, ErrStatusUnknown)
	}
	stdin.Close()
	awaitZombie(t, child.PID())
	reapRaw(t, child.PID())
}
