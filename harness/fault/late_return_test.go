package fault

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
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
	return startShell(t, exec.Command("/bin/sh", "-c", "while read x; do (exit 3); echo $?; done"))
}

func startShell(t *testing.T, cmd *exec.Cmd) *shell {
	t.Helper()
	s := &shell{t: t, cmd: cmd, done: make(chan struct{})}
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

func TestLateReturnDelaysUntilItIsUndone(t *testing.T) {
	needStrace(t)
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
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
	if err != nil || !strings.Contains(string(status), "\nTracerPid:\t0\n") {
		t.Errorf("still traced: %v", err)
	}
	s.reap(children)
	if hits, _, _ := injected.Hits(t.Context()); hits != children {
		t.Errorf("%d hits after the end", hits)
	}
}

func TestNoDelayOutlivesAHarnessThatIsKilled(t *testing.T) {
	needStrace(t)
	s := newShell(t)
	harness := exec.Command("/proc/self/exe")
	harness.Env = append(os.Environ(), fmt.Sprintf("%s=%d", armsAndWaits, s.PID()))
	stdin, errIn := harness.StdinPipe()
	stdout, errOut := harness.StdoutPipe()
	if err := errors.Join(errIn, errOut, harness.Start()); err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	said, err := bufio.NewReader(stdout).ReadString('\n')
	harness.Process.Kill()
	harness.Wait()
	if err != nil || said != "injected: <nil>\n" {
		t.Fatalf("%q, %v", said, err)
	}
	const limit = 10 * time.Second
	var status []byte
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(
		time.Millisecond) {
		status, err = os.ReadFile(fmt.Sprintf("/proc/%d/status", s.PID()))
		if err != nil || strings.Contains(string(status), "\nTracerPid:\t0\n") {
			break
		}
	}
	if err != nil || !strings.Contains(string(status), "\nTracerPid:\t0\n") {
		t.Errorf("a target that is not traced expected within %v, last saw %s (%v)", limit, status,
			err)
	}
}

func TestAStraceThatDiesVoidsTheHits(t *testing.T) {
	needStrace(t)
	injected, err := LateReturn{Call: Wait4, Delay: time.Second}.Inject(t.Context(), newShell(t))
	if err != nil {
		t.Fatal(err)
	}
	strace := injected.(*tracing)
	strace.strace.Process.Kill()
	<-strace.done
	if _, note, _ := injected.Hits(t.Context()); !strings.Contains(note, "before its time") {
		t.Errorf("note %q", note)
	}
}

func TestLateReturnOnATargetThatIsKilled(t *testing.T) {
	needStrace(t)
	s := newShell(t)
	injected, err := LateReturn{Call: Wait4, Delay: time.Second}.Inject(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	s.cmd.Process.Kill()
	<-s.done
	if _, note, err := injected.Hits(t.Context()); note != "" || err != nil {
		t.Errorf("note %q, error %v", note, err)
	}
	if err := injected.Undo(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := (LateReturn{Call: Wait4}).Inject(t.Context(), s); !errors.Is(err, ErrDeclined) ||
		!strings.Contains(err.Error(), "strace: ") {
		t.Errorf("a target that has ended: %v", err)
	}
}

func TestLateReturnDeclinesWithoutAStraceThatDelays(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if err := (LateReturn{}).Prepare(nil); !errors.Is(err, ErrDeclined) ||
		!strings.Contains(err.Error(), "not installed") {
		t.Errorf("no strace: %v", err)
	}
	for line, want := range map[string]string{
		"strace -- version 6.1\nCopyright": "", "strace -- version 4.22": "",
		"strace -- version 5.0.0.12": "",
		"strace -- version 4.21":     "strace 4.21 cannot delay",
		"strace -- version 3.9":      "strace 3.9 cannot delay",
		"":                           "names no version",
	} {
		err := checkStrace(line)
		if (want == "") != (err == nil) || err != nil &&
			(!errors.Is(err, ErrDeclined) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// What strace prints: a call in one line or in two, from the target's threads
// and from others.
func TestOnlyDelayedCallsOfTheTargetThatMatterAreHits(t *testing.T) {
	self := strconv.Itoa(os.Getpid())
	for _, c := range []struct {
		call  Call
		lines string // T is a thread of the target
		hits  int64
	}{
		{Wait4,
			"T wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 3}], WNOHANG, NULL) = 45 (DELAYED)",
			1},
		{Wait4, "T <... wait4 resumed>[{WIFEXITED(s)}], 0, NULL) = 45 (DELAYED)", 1},
		{Wait4, "T wait4(-1, 0x1ea4eafce714, WNOHANG, NULL) = 0 (DELAYED)", 0},
		{Wait4, "T wait4(-1, 0x1, WNOHANG, NULL) = -1 ECHILD (No child processes) (DELAYED)", 0},
		{Wait4, "T wait4(-1, [{WIFEXITED(s)}], WNOHANG, NULL) = 45", 0},
		{Wait4, "1T wait4(-1, [{WIFEXITED(s)}], WNOHANG, NULL) = 45 (DELAYED)", 0},
		{Read, `T  read(11<pipe:[7]>, "", 8)           = 0 (DELAYED)`, 1},
		{Read,
			"T read(11<pipe:[7]>,  <unfinished ...>\n9 dup2(4<pipe:[8]>, 1</dev/null>) = 1<pipe:[8]>\nT <... read resumed>\"\", 8) = 0 (DELAYED)", 1},
		{Read,
			"T read(11<pipe:[7]>, \"\", 8) = 0 (DELAYED)\nT read(12<pipe:[7]>, \"\", 8) = 0 (DELAYED)", 1},
		{Read,
			"T read(11<pipe:[7]>, \"\", 8) = 0 (DELAYED)\nT read(11<pipe:[8]>, \"\", 8) = 0 (DELAYED)", 2},
		{Read,
			"9 dup3(12<pipe:[7]>, 1, 0) = 1<pipe:[7]>\nT read(11<pipe:[7]>, \"\", 512) = 0 (DELAYED)", 0},
		{Read,
			"9 dup2(12<pipe:[7]>, 1</dev/null> <unfinished ...>\nT read(11<pipe:[7]>,  <unfinished ...>\nT <... read resumed>\"\", 512) = 0 (DELAYED)", 0},
		{Read,
			"9 dup3(12<pipe:[7]>, 3, 0) = 3<pipe:[7]>\nT read(11<pipe:[7]>, \"\", 4) = 0 (DELAYED)",
			1},
		{Read,
			"T read(11<pipe:[7]>,  <unfinished ...>\nT <... read resumed>\"ab\", 8) = 2 (DELAYED)\nT read(5<socket:[9]>,  <unfinished ...>\nT <... read resumed>\"\", 8) = 0 (DELAYED)", 0},
		{Read, `T read(9<socket:[9]>, "", 4096) = 0 (DELAYED)`, 0},
		{Read, `T read(9</etc/hosts>, "", 4096) = 0 (DELAYED)`, 0},
		{Read, `T read(9<pipe:[7]>, "GET / HTTP/1.1"..., 4096) = 80 (DELAYED)`, 0},
		{Read,
			"T read(9<pipe:[7]>, 0x1ea4eafce714, 4096) = -1 EAGAIN (Resource temporarily unavailable) (DELAYED)", 0},
	} {
		a := &tracing{tell: c.call.teller(), sandbox: ofProcess(os.Getpid())}
		for line := range strings.Lines(strings.ReplaceAll(c.lines, "T ", self+" ")) {
			a.note(strings.TrimSuffix(line, "\n"))
		}
		if a.hits != c.hits {
			t.Errorf("%s: %d hits, want %d", c.lines, a.hits, c.hits)
		}
	}
}

// startsCommands makes the test binary a target that starts a command whenever
// it reads a line.
const startsCommands = "REAPCHECK_TEST_STARTS_COMMANDS"

// armsAndWaits makes the test binary a harness that straces the process which it
// names, and waits to be killed.
const armsAndWaits = "REAPCHECK_TEST_ARMS_AND_WAITS"

func armAndWait(target string) {
	pid, _ := strconv.Atoi(target)
	_, err := LateReturn{
		Call:  Wait4,
		Delay: time.Second,
	}.Inject(context.Background(), ofProcess(pid))
	fmt.Println("injected:", err)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func ofProcess(pid int) *shell { return &shell{cmd: &exec.Cmd{Process: &os.Process{Pid: pid}}} }

func TestMain(m *testing.M) {
	if target := os.Getenv(armsAndWaits); target != "" {
		armAndWait(target)
		return
	}
	if os.Getenv(startsCommands) == "" {
		os.Exit(m.Run())
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		_, err := exec.Command("/bin/sh", "-c", "exit 3").Output()
		fmt.Println(strings.TrimPrefix(fmt.Sprint(err), "exit status "))
	}
}

// A target that learns by a pipe that exec is over, and one that has only the
// command's output to read to its end.
func TestLateReadHitsOnceForEachStartThatIsToldByAPipe(t *testing.T) {
	needStrace(t)
	const commands = 3
	byPipe := exec.Command("/proc/self/exe")
	byPipe.Env = append(os.Environ(), startsCommands+"=1")
	for name, c := range map[string]struct {
		target *exec.Cmd
		hits   int64
		err    error
	}{
		"told": {byPipe, commands, nil},
		"not told": {exec.Command("/bin/sh", "-c",
			"while read x; do y=$(/bin/sh -c 'echo out; exit 3'); echo $?; done"), 0, ErrDeclined},
	} {
		t.Run(name, func(t *testing.T) {
			s := startShell(t, c.target)
			s.reap(1) // what Go reads once, at the first start
			injected, err := LateReturn{Call: Read, Delay: time.Millisecond}.Inject(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			s.reap(commands)
			if hits, note, err := injected.Hits(t.Context()); hits != c.hits || note != "" ||
				!errors.Is(err, c.err) {
				t.Errorf("%d hits, want %d; note %q, error %v", hits, c.hits, note, err)
			}
		})
	}
}
