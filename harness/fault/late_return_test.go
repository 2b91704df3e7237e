package fault

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/trace"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// shell is a target that waits for a child whenever it reads a line.
type shell struct {
	sandbox.Sandbox
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Writer
	lines *bufio.Scanner
}

func (s *shell) PID() int { return s.cmd.Process.Pid }

func newShell(t *testing.T) *shell {
	t.Helper()
	s := &shell{t: t,
		cmd: exec.Command("/bin/sh", "-c", "while read x; do (exit 3); echo $?; done")}
	stdin, errIn := s.cmd.StdinPipe()
	stdout, errOut := s.cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, s.cmd.Start()); err != nil {
		t.Fatal(err)
	}
	s.stdin, s.lines = stdin, bufio.NewScanner(stdout)
	t.Cleanup(func() {
		s.cmd.Process.Kill()
		s.cmd.Wait()
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

func TestLateReturnDelaysUntilItIsUndone(t *testing.T) {
	const delay, children = 100 * time.Millisecond, 3
	s := newShell(t)
	injected, err := LateReturn{Call: Wait4, Delay: delay}.Inject(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if took := s.reap(children); took < children*delay {
		t.Errorf("%d children in %v, though each was delayed by %v", children, took, delay)
	}
	if hits, note, err := injected.Hits(t.Context()); hits != children || note != "" || err != nil {
		t.Errorf("%d hits, note %q, error %v", hits, note, err)
	}
	if err := injected.Undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	if by := trace.TracerOf(s.PID()); by != 0 {
		t.Errorf("process %d still traces the target", by)
	}
	s.reap(children)
	if hits, _, _ := injected.Hits(t.Context()); hits != children {
		t.Errorf("%d hits after the end", hits)
	}
}

func TestATracerThatDiesVoidsTheHits(t *testing.T) {
	s := newShell(t)
	injected, err := LateReturn{Call: Wait4, Delay: time.Hour}.Inject(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(trace.TracerOf(s.PID()), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if _, note, err := injected.Hits(t.Context()); err != nil ||
		!strings.Contains(note, "before its time") {
		t.Errorf("note %q, error %v", note, err)
	}
}

func TestLateReturnOnATargetThatIsKilled(t *testing.T) {
	s := newShell(t)
	injected, err := LateReturn{Call: Wait4, Delay: time.Hour}.Inject(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Process.Kill()
	s.cmd.Wait()
	if _, note, err := injected.Hits(t.Context()); note != "" || err != nil {
		t.Errorf("note %q, error %v", note, err)
	}
	if err := injected.Undo(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := (LateReturn{Call: Wait4}).Inject(t.Context(), s); !errors.Is(err, ErrDeclined) ||
		!strings.Contains(err.Error(), "has ended") {
		t.Errorf("a target that has ended: %v", err)
	}
}

func TestLateReturnDeclinesWhereNobodyIsToldLate(t *testing.T) {
	s := newShell(t)
	injected, err := LateReturn{Call: Read, Delay: time.Hour}.Inject(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	s.reap(3)
	if hits, note, err := injected.Hits(t.Context()); hits != 0 || note != "" ||
		!errors.Is(err, ErrDeclined) {
		t.Errorf("%d hits, note %q, error %v", hits, note, err)
	}
}

func TestLateReturnDeclinesATargetOfAnotherMachine(t *testing.T) {
	elsewhere := remote{}
	if _, err := (LateReturn{Call: Wait4}).Inject(t.Context(), elsewhere); !errors.Is(err,
		ErrDeclined) {
		t.Errorf("error %v", err)
	}
}

type remote struct{ sandbox.Sandbox }

func (remote) PID() int { return 0 }
