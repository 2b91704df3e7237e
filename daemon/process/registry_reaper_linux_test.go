package process

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// startStolen starts a child of a registry whose reaper runs, ends it and takes
// its status away. No SIGCHLD tells of that.
func startStolen(t *testing.T, r *Registry) *entry {
	t.Helper()
	child, err := r.Start(exec.Command("/bin/sleep", "60"))
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock() // keeps the reaper out
	defer r.mu.Unlock()
	syscall.Kill(child.PID(), syscall.SIGKILL)
	reapRaw(t, child.PID())
	return child.(*entry)
}

// Invariant 5 with the reaper's goroutine.
func TestReaperNoticesTheft(t *testing.T) {
	r := NewRegistry(slog.New(slog.DiscardHandler))
	defer r.Close()
	e := startStolen(t, r)
	select {
	case <-e.exited:
	case <-time.After(patience):
		t.Fatalf("a stolen status was not noticed within %v", patience)
	}
	wantLost(t, e)
}

// A child that is traced by its parent is said to stop, to whoever waits for its end (ptrace(2)).
func TestAStopIsNoEnd(t *testing.T) {
	r := NewRegistry(slog.New(slog.DiscardHandler))
	defer r.Close()
	cmd := exec.Command("/bin/sleep", "60") // which stops when it is executed
	cmd.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	child, err := r.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "a stopped child", func() string {
		if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child.PID())); err != nil ||
			!strings.Contains(string(stat), ") t ") {
			return fmt.Sprintf("%s, %v", stat, err)
		}
		return ""
	})
	r.reapRegistered()
	select {
	case <-child.Exited():
		t.Error("it is taken for one that has ended")
	default:
	}
	if err := syscall.Kill(child.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-child.Exited()
	if e := child.(*entry); !e.status.Signaled() || e.err != nil {
		t.Errorf("status %v, error %v", e.status, e.err)
	}
}

// The look for thefts must come however the reaper is kept busy: here it finds
// now a zombie that has to stay, now nothing.
func TestReaperNoticesTheftWhileItIsBusy(t *testing.T) {
	r := NewRegistry(slog.New(slog.DiscardHandler))
	defer r.Close()
	e := startStolen(t, r)
	for deadline := time.Now().Add(patience); ; {
		select {
		case <-e.exited:
			wantLost(t, e)
			return
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("a stolen status was not noticed within %v", patience)
		}
		ticket := r.beginStart()
		pid := startRaw(t, "exit 1").Process.Pid
		eventually(t, "reaper at a suspect", func() string {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.suspect.pid != pid {
				return fmt.Sprintf("%+v", r.suspect)
			}
			return ""
		})
		r.endStart(ticket, nil)
		eventually(t, "orphan reaped", func() string { return childState(pid) })
	}
}

func TestReaperOutlivesAnEmptyTable(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	for range 3 {
		syscall.Kill(os.Getpid(), syscall.SIGCHLD) // there are no children: ECHILD
		if got := mustRun(t, x, "exit 11").ExitCode; got != 11 {
			t.Fatalf("exit code %d, want 11", got)
		}
	}
}

func TestReaperDoesNotSpin(t *testing.T) {
	x := newExecutor(t, "registry", Options{})
	before := cpuTime(t)
	mustRun(t, x, "sleep 1")
	if used := cpuTime(t) - before; used > 200*time.Millisecond {
		t.Errorf("%v of CPU time used while one command slept for 1s", used)
	}
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
