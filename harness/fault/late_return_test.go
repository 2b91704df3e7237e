package fault

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// shell is a target that waits for a child whenever it reads a line.
type shell struct {
	sandbox.Sandbox
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Writer
	lines *bufio.Scanner
	done  chan struct{}
}

func (s *shell) PID() int              { return s.cmd.Process.Pid }
func (s *shell) Done() <-chan struct{} { return s.done }

func newShell(t *testing.T) *shell {
	t.Helper()
	s := &shell{t: t, cmd: exec.Command("/bin/sh", "-c", "while read x; do (exit 3); echo $?; done"), done: make(chan struct{})}
	stdin, errIn := s.cmd.StdinPipe()
	stdout, errOut := s.cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, s.cmd.Start()); err != nil {
		t.Fatal(err)
	}
	s.stdin, s.lines = stdin, bufio.NewScanner(stdout)
	go func() {
		defer close(s.done)
		s.cmd.Process.Wait()
	}()
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		<-s.done
		stdout.Close()
	})
	return s
}

// reap has the target wait for n children, one after the other.
func (s *shell) reap(n int) time.Duration {
	s.t.Helper()
	began := time.Now()
	for range n {
		fmt.Fprintln(s.stdin)
		if !s.lines.Scan() || s.lines.Text() != "3" {
			s.t.Fatalf("the shell answered %q", s.lines.Text())
		}
	}
	return time.Since(began)
}

func needStrace(t *testing.T) {
	t.Helper()
	if err := (LateReturn{}).Prepare(nil); err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("CI=true demands strace: %v", err)
	} else if err != nil {
		t.Skip(err)
	}
}

func TestLateReturnDelaysUntilItIsDisarmed(t *testing.T) {
	needStrace(t)
	const delay, children = 100 * time.Millisecond, 3
	s := newShell(t)
	armed, err := LateReturn{Call: Wait4, Delay: delay}.Arm(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if took := s.reap(children); took < children*delay {
		t.Errorf("%d children in %v, though each was delayed by %v", children, took, delay)
	}
	if hits, note, err := armed.Hits(t.Context()); hits != children || note != "" || err != nil {
		t.Errorf("%d hits, note %q, error %v", hits, note, err)
	}
	if err := armed.Disarm(t.Context()); err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil || !strings.Contains(string(status), "\nTracerPid:\t0\n") {
		t.Errorf("still traced: %v", err)
	}
	s.reap(children)
	if hits, _, _ := armed.Hits(t.Context()); hits != children {
		t.Errorf("%d hits after the end", hits)
	}
}

func TestAStraceThatDiesVoidsTheHits(t *testing.T) {
	needStrace(t)
	armed, err := LateReturn{Call: Wait4, Delay: time.Second}.Arm(t.Context(), newShell(t))
	if err != nil {
		t.Fatal(err)
	}
	strace := armed.(*armedReturn)
	strace.strace.Process.Kill()
	<-strace.done
	if _, note, _ := armed.Hits(t.Context()); !strings.Contains(note, "before its time") {
		t.Errorf("note %q", note)
	}
}

func TestLateReturnOnATargetThatIsKilled(t *testing.T) {
	needStrace(t)
	s := newShell(t)
	armed, err := LateReturn{Call: Wait4, Delay: time.Second}.Arm(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Process.Kill()
	<-s.done
	if _, note, err := armed.Hits(t.Context()); note != "" || err != nil {
		t.Errorf("note %q, error %v", note, err)
	}
	if err := armed.Disarm(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := (LateReturn{Call: Wait4}).Arm(t.Context(), s); !errors.Is(err, ErrDeclined) || !strings.Contains(err.Error(), "strace: ") {
		t.Errorf("a target that has ended: %v", err)
	}
}

func TestLateReturnDeclinesWithoutAStraceThatDelays(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := (LateReturn{}).Prepare(nil); !errors.Is(err, ErrDeclined) || !strings.Contains(err.Error(), "not installed") {
		t.Errorf("no strace: %v", err)
	}
	for line, want := range map[string]string{
		"strace -- version 6.1\nCopyright": "", "strace -- version 4.22": "", "strace -- version 5.0.0.12": "",
		"strace -- version 4.21": "strace 4.21 cannot delay", "strace -- version 3.9": "strace 3.9 cannot delay",
		"": "names no version",
	} {
		err := checkStrace(line)
		if (want == "") != (err == nil) || err != nil && (!errors.Is(err, ErrDeclined) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// What strace prints: a call in one line or in two, from the target's threads
// and from others.
func TestOnlyDelayedCallsOfTheTargetThatMatterAreHits(t *testing.T) {
	self := os.Getpid()
	for _, c := range []struct {
		call Call
		line string
		hits int64
	}{
		{Wait4, "%d wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], WNOHANG, NULL) = 45 (DELAYED)", 1},
		{Wait4, "%d <... wait4 resumed>[{WIFEXITED(s)}], 0, NULL) = 45 (DELAYED)", 1},
		{Wait4, "%d wait4(-1, 0x1ea4eafce714, WNOHANG, NULL) = 0 (DELAYED)", 0},
		{Wait4, "%d wait4(-1, 0x1, WNOHANG, NULL) = -1 ECHILD (No child processes) (DELAYED)", 0},
		{Wait4, "%d wait4(-1, [{WIFEXITED(s)}], WNOHANG, NULL) = 45", 0},
		{Wait4, "1%d wait4(-1, [{WIFEXITED(s)}], WNOHANG, NULL) = 45 (DELAYED)", 0},
		{Read, `%d read(11, "", 8)                   = 0 (DELAYED)`, 1},
		{Read, `%d <... read resumed>"", 8)          = 0 (DELAYED)`, 1},
		{Read, `%d read(9, "GET / HTTP/1.1"..., 4096) = 80 (DELAYED)`, 0},
		{Read, "%d read(9, 0x1ea4eafce714, 4096)     = -1 EAGAIN (Resource temporarily unavailable) (DELAYED)", 0},
	} {
		a := &armedReturn{told: told[c.call], sandbox: &shell{cmd: &exec.Cmd{Process: &os.Process{Pid: self}}}}
		if a.note(fmt.Sprintf(c.line, self)); a.hits != c.hits {
			t.Errorf("%s: %d hits, want %d", c.line, a.hits, c.hits)
		}
	}
}
