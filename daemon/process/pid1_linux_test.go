package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
)

// pid1Env marks a run of the test binary as PID 1 of a namespace of its own,
// where the next PID can be chosen.
const pid1Env = "REAPCHECK_TEST_PID1"

// TestAsPID1 runs the tests whose names begin with TestPID1.
func TestAsPID1(t *testing.T) {
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestPID1", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), pid1Env+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("no user namespaces here: %v", err)
	}
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
}

func mountProc() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	return syscall.Mount("proc", "/proc", "proc", 0, "")
}

func needPID1(t *testing.T) {
	t.Helper()
	if os.Getpid() != 1 {
		t.Skip("runs as PID 1, by way of TestAsPID1")
	}
}

// nextPID chooses the PID that the next fork gets.
func nextPID(t *testing.T, pid int) {
	t.Helper()
	err := os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(pid-1)), 0)
	if err != nil {
		t.Fatal(err)
	}
}

// startRawAs starts an unregistered child that has the given PID. Go's own
// threads take PIDs as well, so it may need more than one try.
func startRawAs(t *testing.T, pid int, command string) *exec.Cmd {
	t.Helper()
	for range 20 {
		nextPID(t, pid)
		cmd := startRaw(t, command)
		if cmd.Process.Pid == pid {
			return cmd
		}
		cmd.Process.Kill()
		reapRaw(t, cmd.Process.Pid)
	}
	t.Fatalf("no child got the PID %d in 20 tries", pid)
	return nil
}

// Invariant 3: every command has the PID of the one before it, with an orphan
// of that PID in between.
func TestPID1RecycledPIDs(t *testing.T) {
	needPID1(t)
	x := newExecutor(t, "registry", Options{})
	const commands = 300
	pid, recycled := 12345, 0
	for i := range commands {
		if i%3 == 0 {
			nextPID(t, pid)
			orphan := startRaw(t, "exit 99").Process.Pid
			eventually(t, "orphan reaped", func() string { return childState(orphan) })
		}
		nextPID(t, pid)
		result := mustRun(t, x, fmt.Sprintf("echo $$; exit %d", i%256))
		if result.ExitCode != i%256 {
			t.Fatalf("command %d: exit code %d, want %d", i, result.ExitCode, i%256)
		}
		if string(result.Output) == fmt.Sprintln(pid) {
			recycled++
		} else {
			pid++ // it may be a thread's of ours
		}
	}
	if recycled < commands*9/10 {
		t.Errorf("%d of %d commands had the same PID, want nearly all", recycled, commands)
	}
}

func childState(pid int) string {
	if isChild(pid) {
		return "a child of ours"
	}
	return ""
}

// Invariant 3: whoever comes later under a PID does not inherit from the one
// before, nor does that one's end touch it.
func TestPID1RegisterUnderAKnownPID(t *testing.T) {
	needPID1(t)
	r := handDriven()
	old := startEntry(t, r, "exit 1")
	awaitZombie(t, old.pid)
	reapRaw(t, old.pid)
	e := r.register(startRawAs(t, old.pid, "exit 2").Process)
	wantLost(t, old)
	old.Forget()
	awaitZombie(t, e.pid)
	r.reapZombies()
	wantStatus(t, e, 2)
}

// Invariant 5: the thief's PID went to an orphan, whose status is there for
// the taking.
func TestPID1StolenStatusIsNotAnothers(t *testing.T) {
	needPID1(t)
	r := handDriven()
	e := startEntry(t, r, "exit 5")
	awaitZombie(t, e.pid)
	reapRaw(t, e.pid)
	startRawAs(t, e.pid, "exit 9")
	awaitZombie(t, e.pid)
	r.reapZombies()
	wantLost(t, e)
	if got := r.Counts(); got.ReapedUnmanaged != 1 || got.ReapedManaged != 0 {
		t.Errorf("counts %+v, want one unmanaged", got)
	}
}

// Invariant 4.
func TestPID1SignalDoesNotReachTheNextOwner(t *testing.T) {
	needPID1(t)
	r := handDriven()
	reaped := startEntry(t, r, "exit 0")
	awaitZombie(t, reaped.pid)
	r.reapZombies()
	stolen := startEntry(t, r, "exit 0")
	awaitZombie(t, stolen.pid)
	reapRaw(t, stolen.pid)
	for _, e := range []*entry{reaped, stolen} {
		next := startRawAs(t, e.pid, "exec sleep 60") // a shell beside it would take the next number
		if err := e.Signal(syscall.SIGKILL); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("signal: %v, want ErrProcessDone", err)
		}
		// SIGKILL is delivered before kill returns to a process that is asleep,
		// and a second signal tells whether it is dying.
		if p, err := readStat(next.Process.Pid); err != nil || p.state == 'Z' {
			t.Errorf("the next owner of PID %d was killed", e.pid)
		}
	}
}

// Invariant 3: a failed start's phantom was the suspect. Its PID goes to a
// start that has not registered yet.
func TestPID1PhantomIsForgotten(t *testing.T) {
	needPID1(t)
	r := handDriven()
	failing := r.beginStart()
	pid := startRaw(t, "exit 253").Process.Pid
	awaitZombie(t, pid)
	r.reapZombies()
	reapRaw(t, pid) // as os/exec does
	r.endStart(failing, errors.New("exec failed"))

	ticket := r.beginStart()
	cmd := startRawAs(t, pid, "exit 42")
	awaitZombie(t, pid)
	if !undecided(r) || !isChild(pid) {
		t.Fatal("a child that was not registered yet was taken for the phantom")
	}
	e := r.register(cmd.Process)
	r.endStart(ticket, nil)
	r.reapZombies()
	wantStatus(t, e, 42)
}

// The same for a suspect that turned out to be a command.
func TestPID1SuspectIsForgottenOnceRegistered(t *testing.T) {
	needPID1(t)
	r := handDriven()
	first := r.beginStart()
	cmd := startRaw(t, "exit 1")
	awaitZombie(t, cmd.Process.Pid)
	r.reapZombies()
	e := r.register(cmd.Process)
	r.reapRegistered()
	r.endStart(first, nil)
	wantStatus(t, e, 1)

	second := r.beginStart()
	next := startRawAs(t, e.pid, "exit 2")
	awaitZombie(t, e.pid)
	if !undecided(r) || !isChild(e.pid) {
		t.Fatal("a child that was not registered yet was taken for an orphan")
	}
	e = r.register(next.Process)
	r.endStart(second, nil)
	r.reapZombies()
	wantStatus(t, e, 2)
}

func TestPID1OrphanStorm(t *testing.T) {
	needPID1(t)
	x := newExecutor(t, "registry", Options{})
	const storms, orphans = 4, 25
	errs := make(chan error, 2*storms)
	for storm := range storms {
		go func() { errs <- mixedCommands(x, storm, 25) }()
		go func() { errs <- orphanStorm(x, orphans) }()
	}
	for range 2 * storms {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	eventually(t, "0 zombies", func() string {
		if n := Zombies(); n > 0 {
			return fmt.Sprint(n)
		}
		return ""
	})
	eventually(t, "all orphans reaped", func() string {
		if n := x.Strategy().Counts().ReapedUnmanaged; n < storms*orphans {
			return fmt.Sprintf("%d of %d", n, storms*orphans)
		}
		return ""
	})
}

// orphanStorm leaves n double-forked orphans that end with a code of their own.
func orphanStorm(x *Executor, n int) error {
	command := fmt.Sprintf("for i in $(seq %d); do ( (sleep 0.0$i; exit 77) >/dev/null 2>&1 & ); done; exit 33", n)
	result, err := x.Execute(context.Background(), Request{Command: command})
	if err == nil && result.ExitCode != 33 {
		err = fmt.Errorf("exit code %d, want 33", result.ExitCode)
	}
	return err
}
