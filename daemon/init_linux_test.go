package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The process that was started reaps and hands signals on; the one behind it serves.
func TestInitInFront(t *testing.T) {
	d := start(t, buildPlain, "--strategy=init-in-front", "--subreaper")
	e, status := d.execute("echo $PPID; env | grep -c BEHIND; exit 7")
	parent, rest, _ := strings.Cut(e.Result, "\n")
	if status != 200 || e.ExitCode != 7 || rest != "0\n" {
		t.Errorf("status %d, exit code %d, result %q, want 200, 7 and no mark", status, e.ExitCode,
			e.Result)
	}
	if parent == strconv.Itoa(d.cmd.Process.Pid) {
		t.Error("the command is a child of the init")
	}
	e, _ = d.execute("sleep 0.05 >/dev/null 2>&1 & echo $!")
	orphan := "/proc/" + strings.TrimSpace(e.Result)
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(orphan); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the orphan reaped expected within %v, last saw it", patience)
		}
	}
	d.cmd.Process.Signal(syscall.SIGTERM)
	<-d.done
	if code := d.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit status %d after SIGTERM, want 0: the signal is to reach the daemon", code)
	}
	if log := d.log.String(); !strings.Contains(log, "shut down") {
		t.Errorf("the daemon did not end in order:\n%s", log)
	}
}

// An init ends as its child did.
func TestInitInFrontEndsWithItsChildsCode(t *testing.T) {
	d := start(t, buildPlain, "--strategy=init-in-front", "--subreaper")
	// The daemon dies of it, and answers nothing.
	_, _ = d.call("POST", "/process/execute", map[string]any{"command": "kill -9 $PPID"}, nil)
	<-d.done
	if code := d.cmd.ProcessState.ExitCode(); code != 137 {
		t.Errorf("exit status %d, want 137", code)
	}
}
