package fault

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// here is this process as a sandbox.
type here struct{ sandbox.Sandbox }

func (here) PID() int { return os.Getpid() }

// A target that never runs enough commands at a time cannot host the signal. That
// is its own limit, and no trouble of the harness's.
func TestSignalWithoutItsProcessesDeclines(t *testing.T) {
	defer func(usual time.Duration) { signalLimit = usual }(signalLimit)
	signalLimit = 20 * time.Millisecond
	injected, err := Signal{
		Signal:    syscall.SIGTERM,
		Processes: 8,
		Named:     "no such name",
	}.Inject(t.Context(), here{})
	if err != nil {
		t.Fatal(err)
	}
	injected.(PerTrial).Before(t.Context())
	injected.(*signalling).ending.Wait()
	hits, note, err := injected.Hits(t.Context())
	if hits != 0 || note != "" || !errors.Is(err, ErrDeclined) ||
		!strings.Contains(err.Error(),
			"8 processes in the sandbox expected within 20ms, last saw 0") {
		t.Errorf("%d hits, note %q, error %v", hits, note, err)
	}
	if err := injected.Undo(t.Context()); err != nil {
		t.Error(err)
	}
}

// Commands that would sleep for ever are ended also where the signal was given up:
// a target that runs few at a time is not kept from the others.
func TestSignalEndsWhatItWaitedFor(t *testing.T) {
	defer func(usual time.Duration) { signalLimit = usual }(signalLimit)
	signalLimit = 20 * time.Millisecond
	const name = "reapcheck-sleep"
	script := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(script, []byte("#!/bin/sh\nread line\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	start := func() *exec.Cmd {
		cmd := exec.Command(script)
		if _, err := cmd.StdinPipe(); err != nil { // which nobody writes to
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	helper := start() // of the target's: it was there before
	injected, err := Signal{
		Signal:    syscall.SIGTERM,
		Processes: 2,
		Named:     name,
		EndAfter:  time.Millisecond,
	}.Inject(t.Context(), here{})
	if err != nil {
		t.Fatal(err)
	}
	sleeper := start()
	injected.(PerTrial).Before(t.Context())
	if err := sleeper.Wait(); err == nil || err.Error() != "signal: terminated" {
		t.Errorf("ended by %v", err)
	}
	if err := injected.Undo(t.Context()); err != nil {
		t.Error(err)
	}
	if hits, _, err := injected.Hits(t.Context()); hits != 0 || !errors.Is(err, ErrDeclined) {
		t.Errorf("%d hits, error %v", hits, err)
	}
	if err := errors.Join(helper.Process.Kill(), helper.Wait()); err == nil ||
		err.Error() != "signal: killed" {
		t.Errorf("what was there before ended by %v", err)
	}
}

// A target is not blamed for ending commands itself which the harness came too late to end.
func TestCommandsThatEndLateAreAnExcuse(t *testing.T) {
	s := Signal{Signal: syscall.SIGTERM, EndAfter: 2 * time.Second}
	for took, void := range map[time.Duration]bool{4 * time.Second: false, 8 * time.Second: true} {
		var g signalling
		g.ended(s.late(took), nil)
		if excuse := g.Excuse(); (excuse != "") != void {
			t.Errorf("after %v: %q", took, excuse)
		}
	}
}

// What has another's number by now is let be.
func TestTerminateEndsWhatItWasShown(t *testing.T) {
	sleep := exec.Command("sleep", "60")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	p, err := probe.LookAt(sleep.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	other := p
	other.Inner++
	if err := Terminate(probe.Snapshot{other}); err != nil {
		t.Error(err)
	}
	if now, err := probe.LookAt(p.PID); err != nil || now.Zombie() {
		t.Errorf("another's number was signalled: %v, %v", now, err)
	}
	if err := Terminate(probe.Snapshot{p}); err != nil {
		t.Error(err)
	}
	if err := sleep.Wait(); err == nil || err.Error() != "signal: terminated" {
		t.Errorf("ended by %v", err)
	}
	if err := Terminate(probe.Snapshot{p}); err != nil {
		t.Errorf("one that is gone: %v", err)
	}
}
