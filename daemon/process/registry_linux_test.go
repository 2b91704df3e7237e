package process

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// These tests drive a Registry by hand, without its reaper's goroutine: each
// step of a race is then a line of the test.

func handDriven() *Registry { return newRegistry(slog.New(slog.DiscardHandler)) }

// undecided makes a pass of the reaper and says whether it ended at a zombie that
// has to stay.
func undecided(r *Registry) bool { return !r.reapZombies() }

// startRaw starts a child that no registry knows, as an orphan or a phantom.
func startRaw(t *testing.T, command string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	t.Cleanup(func() {
		if isChild(pid) {
			syscall.Kill(-pid, syscall.SIGKILL)
			reapRaw(t, pid)
		}
	})
	return cmd
}

func startEntry(t *testing.T, r *Registry, command string) *entry {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	child, err := r.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	return child.(*entry)
}

// awaitZombie blocks until pid has ended and leaves it unreaped.
func awaitZombie(t *testing.T, pid int) {
	t.Helper()
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err == nil {
			return
		}
		if err != unix.EINTR {
			t.Fatalf("wait for the end of %d: %v", pid, err)
		}
	}
}

// isChild says whether pid is a child of ours that has not been reaped.
func isChild(pid int) bool {
	return unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT,
		nil) != unix.ECHILD
}

func reapRaw(t *testing.T, pid int) {
	t.Helper()
	if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
		t.Fatalf("reap %d: %v", pid, err)
	}
}

func wantStatus(t *testing.T, e *entry, code int) {
	t.Helper()
	select {
	case <-e.exited:
	default:
		t.Fatalf("child %d has no status, want exit code %d", e.pid, code)
	}
	status, err := e.Status()
	if err != nil || ExitCode(status) != code {
		t.Fatalf("child %d: exit code %d, error %v, want exit code %d", e.pid, ExitCode(status),
			err, code)
	}
}

func wantLost(t *testing.T, e *entry) {
	t.Helper()
	select {
	case <-e.exited:
	default:
		t.Fatalf("child %d was not told that its status is lost", e.pid)
	}
	if status, err := e.Status(); !errors.Is(err, ErrStatusLost) {
		t.Fatalf("child %d: exit code %d, error %v, want ErrStatusLost", e.pid, ExitCode(status),
			err)
	}
}

// Invariant 1.
func TestChildIsNotReapedBeforeItIsRegistered(t *testing.T) {
	r := handDriven()
	ticket := r.beginStart()
	cmd := startRaw(t, "exit 3")
	awaitZombie(t, cmd.Process.Pid)

	if !undecided(r) {
		t.Error("the reaper was not undecided about a child whose start was under way")
	}
	if !isChild(cmd.Process.Pid) {
		t.Fatal("the child was reaped between its start and its registration")
	}
	e := r.register(cmd.Process)
	r.endStart(ticket, nil)
	r.reapZombies()
	wantStatus(t, e, 3)
}

func TestUndecidedReaperIsWoken(t *testing.T) {
	r := handDriven()
	owner, other := r.beginStart(), r.beginStart()
	cmd := startRaw(t, "exit 3")
	awaitZombie(t, cmd.Process.Pid)
	r.reapZombies()
	r.register(cmd.Process)
	wantWoken(t, r, "the owner was registered")
	r.endStart(owner, nil)
	r.reapZombies()

	awaitZombie(t, startRaw(t, "exit 4").Process.Pid)
	r.reapZombies()
	r.endStart(other, nil)
	wantWoken(t, r, "the last possible owner's start ended")
	r.reapZombies()
}

func wantWoken(t *testing.T, r *Registry, after string) {
	t.Helper()
	select {
	case <-r.signals:
	default:
		t.Errorf("nobody woke the reaper when %s", after)
	}
}

// An orphan must not wait for starts that came later: under a steady load
// there is always one more.
func TestOrphanWaitsOnlyForStartsBeforeIt(t *testing.T) {
	r := handDriven()
	before := r.beginStart()
	pid := startRaw(t, "exit 9").Process.Pid
	awaitZombie(t, pid)
	if !undecided(r) {
		t.Fatal("the reaper was not undecided while a start was under way")
	}
	after := r.beginStart()
	defer r.endStart(after, nil)
	r.endStart(before, nil)
	if undecided(r) || isChild(pid) {
		t.Error("the orphan was not reaped although no start could own it")
	}
	if got := r.Counts(); got.ReapedUnmanaged != 1 || got.ReapedManaged != 0 {
		t.Errorf("counts %+v, want one unmanaged", got)
	}
}

func TestRegisteredChildrenAreReapedBehindASuspect(t *testing.T) {
	r := handDriven()
	ticket := r.beginStart()
	suspect := startRaw(t, "exit 1").Process
	awaitZombie(t, suspect.Pid)
	r.reapZombies()
	e := startEntry(t, r, "exit 4")
	awaitZombie(t, e.pid)
	r.reapRegistered()
	wantStatus(t, e, 4)
	if !isChild(suspect.Pid) {
		t.Error("the suspect was reaped")
	}
	r.endStart(ticket, nil)
	r.reapZombies()
}

// Invariants 2 and 4: from the moment of reaping there is no entry to send a
// signal by, and the handler is told once, when the status is there.
func TestReapedChildIsNoTargetBeforeItsStatusIsPublished(t *testing.T) {
	r := handDriven()
	e := startEntry(t, r, "exit 6")
	awaitZombie(t, e.pid)
	status, err, taken := r.take(e)
	if !taken || err != nil {
		t.Fatalf("take: %v, %v", taken, err)
	}
	if err := e.Signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal to a reaped child: %v, want ErrProcessDone", err)
	}
	select {
	case <-e.exited:
		t.Error("the handler was told before the status was there")
	default:
	}
	if _, _, again := r.take(e); again {
		t.Error("a child was taken twice")
	}
	r.publish(e, status, nil)
	wantStatus(t, e, 6)
}

// A held child keeps its number, and so does its group, though it has ended.
func TestHeldChildIsNotReaped(t *testing.T) {
	r := handDriven()
	e := startEntry(t, r, "exit 6")
	awaitZombie(t, e.pid)
	release := e.Pin()
	if !undecided(r) || !isChild(e.pid) {
		t.Fatal("a held child was reaped")
	}
	r.reapRegistered()
	if err := e.Signal(syscall.SIGKILL); err != nil {
		t.Errorf("signal to a held child: %v", err)
	}
	release()
	wantWoken(t, r, "a child was released")
	r.reapZombies()
	wantStatus(t, e, 6)
}

// Invariant 5.
func TestStolenStatusIsLostAndNotGuessed(t *testing.T) {
	r := handDriven()
	e := startEntry(t, r, "exit 7")
	awaitZombie(t, e.pid)
	reapRaw(t, e.pid)
	if err := e.Signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal to a stolen child: %v, want ErrProcessDone", err)
	}
	r.reapRegistered()
	wantLost(t, e)
	e.Forget()
	if got := r.Counts(); got != (Counts{EchildSeen: 1}) {
		t.Errorf("counts %+v, want one ECHILD and nothing else", got)
	}
}

// SIGCHLD is not queued: one may stand for any number of children.
func TestOnePassReapsAll(t *testing.T) {
	r := handDriven()
	var entries []*entry
	for i := range 50 {
		if i%5 == 0 {
			awaitZombie(t, startRaw(t, "exit 1").Process.Pid)
		}
		e := startEntry(t, r, "exit 8")
		awaitZombie(t, e.pid)
		entries = append(entries, e)
	}
	r.reapZombies()
	for _, e := range entries {
		wantStatus(t, e, 8)
	}
	if n := Zombies(); n != 0 {
		t.Errorf("%d zombies are left", n)
	}
}

func TestStoppedChildIsNotTakenForEnded(t *testing.T) {
	r := handDriven()
	e := startEntry(t, r, "kill -STOP $$; exit 5")
	var info unix.Siginfo
	if err := unix.Waitid(unix.P_PID, e.pid, &info, unix.WSTOPPED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	r.reapZombies()
	r.reapRegistered()
	select {
	case <-e.exited:
		t.Fatal("a stopped child was taken for one that has ended")
	default:
	}
	e.Signal(syscall.SIGCONT)
	awaitZombie(t, e.pid)
	r.reapZombies()
	wantStatus(t, e, 5)
}

// A process may change its group; a signal must still find it.
func TestSignalReachesChildThatLeftItsGroup(t *testing.T) {
	r := handDriven()
	other := startRaw(t, "sleep 60").Process.Pid
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", joinGroupEnv, other))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	child, err := r.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "child in another group", func() string {
		if p, err := readStat(child.PID()); err != nil || p.group != other {
			return fmt.Sprintf("%+v, %v", p, err)
		}
		return ""
	})
	if err := child.Signal(syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	eventually(t, "child killed", func() string {
		r.reapZombies()
		return childState(child.PID())
	})
	wantStatus(t, child.(*entry), 137)
}

// noChildren takes what an earlier test has left.
func noChildren(t *testing.T) {
	t.Helper()
	eventually(t, "no child of an earlier test", func() string {
		for {
			pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
			switch {
			case err == syscall.ECHILD:
				return ""
			case pid == 0:
				return "one still runs"
			}
			t.Logf("an earlier test has left process %d", pid)
		}
	})
}

// A start that fails after its fork leaves a phantom, which os/exec reaps.
func TestFailedStartLeavesNothing(t *testing.T) {
	noChildren(t)
	r := NewRegistry(slog.New(slog.DiscardHandler))
	defer r.Close()
	runtime.GC() // closes what an earlier test has left to it
	fds := openFiles(t)
	for range 100 {
		if _, err := r.Start(exec.Command("/nonexistent")); !errors.Is(err, os.ErrNotExist) {
			t.Fatalf("start: %v, want ErrNotExist", err)
		}
	}
	if got := r.Counts(); got != (Counts{}) {
		t.Errorf("counts %+v, want zero", got)
	}
	if got := openFiles(t); got > fds {
		t.Errorf("%d open files, %d before", got, fds)
	}
	if n := Zombies(); n != 0 {
		t.Errorf("%d zombies are left", n)
	}
	if r.starting.Len() != 0 {
		t.Errorf("%d starts are under way", r.starting.Len())
	}
}

func openFiles(t testing.TB) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

func threads(t testing.TB) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

func TestReadStatOfAwkwardNames(t *testing.T) {
	dir := t.TempDir()
	path := dir + "/a) Z 1 (b"
	if err := os.Symlink("/bin/sleep", path); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	p, err := readStat(cmd.Process.Pid)
	if err != nil || p.parent != os.Getpid() || strings.IndexByte("RSD", p.state) < 0 {
		t.Errorf("stat %+v, error %v", p, err)
	}
}
