package sandbox

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/moby/client"

	"github.com/reapcheck/reapcheck/harness/probe"
)

// runAsChild makes the test binary a run that waits to be killed. Its value is
// a runtime and a binary, with a space between them.
const runAsChild = "REAPCHECK_TEST_CHILD"

// childMain starts a sandbox, says so, and lives until its input ends.
func childMain() int {
	name, binary, _ := strings.Cut(os.Getenv(runAsChild), " ")
	switch name {
	case "signals":
		return sayInterrupts()
	case "chooses":
		return sayChoice()
	}
	var rt Runtime = NewDocker(DockerConfig{Run: testRun(os.Getppid()), Binaries: []string{binary}})
	if name == "namespace" {
		rt = NewNamespace("")
		if err := BecomeRoot(); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	err := rt.Prepare(context.Background(), io.Discard)
	var sb Sandbox
	if err == nil {
		sb, err = rt.Start(context.Background(), Spec{Name: "orphan", Binary: binary, Port: 2280, Ready: "/healthz"})
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("started", sb.PID())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// sayChoice is childMain's: it chooses as a command does, and again once it is root.
func sayChoice() int {
	name, why, err := Choose(context.Background(), "auto")
	if err == nil && name == "namespace" {
		err = BecomeRoot()
	}
	fmt.Println(name, why, err)
	return 0
}

// sayInterrupts is childMain's: it becomes root, says each SIGINT, and ends by
// SIGTERM.
func sayInterrupts() int {
	if err := BecomeRoot(); err != nil {
		fmt.Println(err)
		return 1
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	fmt.Println("ready")
	for s := range signals {
		fmt.Println(s)
		if s == syscall.SIGTERM {
			return 0
		}
	}
	return 1
}

// startChild runs childMain in a process of its own and returns it when its
// sandbox has started. Kill it; its input is open until the test ends.
func startChild(t *testing.T, program, rt string, attr *syscall.SysProcAttr) (child *exec.Cmd, sandbox int) {
	t.Helper()
	child = exec.Command(program)
	child.Env = append(os.Environ(), runAsChild+"="+rt+" "+spec(t).Binary)
	child.SysProcAttr = attr
	input, _ := child.StdinPipe()
	output, _ := child.StdoutPipe()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = child.Process.Kill()
		_ = child.Wait()
		input.Close()
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if _, errScan := fmt.Sscanf(line, "started %d\n", &sandbox); err != nil || errScan != nil {
		t.Fatalf("child: %q, %v", line, err)
	}
	return child, sandbox
}

// labelledOwner counts containers and images of one owner.
func labelledOwner(t *testing.T, d *Docker, o owner) int {
	t.Helper()
	filter := client.Filters{}.Add("label", ownerLabel+"="+o.String())
	containers, err := d.engine().ContainerList(t.Context(), client.ContainerListOptions{All: true, Filters: filter})
	if err != nil {
		t.Fatal(err)
	}
	images, err := d.engine().ImageList(t.Context(), client.ImageListOptions{Filters: filter})
	if err != nil {
		t.Fatal(err)
	}
	return len(containers.Items) + len(images.Items)
}

// sweepThis keeps to what this test process made: others may be at work on
// the same engine, and it is the sweep that is under test.
func sweepThis(t *testing.T) (Swept, int, error) {
	return sweepRuns(t.Context(), runtimeOf(t).engine(), runLabel+"="+testRun(os.Getpid()))
}

func testRun(pid int) string { return fmt.Sprint("test-", pid) }

func TestSweepAfterKill(t *testing.T) {
	d := runtimeOf(t)
	living := start(t, d, spec(t))

	child, _ := startChild(t, os.Args[0], "docker", nil)
	started, err := probe.StatOf(child.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	orphans := thisProcess()
	orphans.pid, orphans.start = child.Process.Pid, started.Start

	if _, alive, err := sweepThis(t); err != nil || alive < 4 {
		t.Fatalf("two images and two containers alive expected, found %d (%v)", alive, err)
	}
	if n := labelledOwner(t, d, orphans); n != 2 {
		t.Fatalf("a container and an image of the living child expected after a sweep, found %d", n)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	if swept, alive, err := sweepThis(t); swept != (Swept{1, 1}) || alive < 2 || err != nil {
		t.Errorf("one container and one image expected, swept %+v, %d alive (%v)", swept, alive, err)
	}
	if n := labelledOwner(t, d, orphans); n != 0 {
		t.Errorf("%d things of the killed child are left", n)
	}
	if got := sh(t, living, "echo alive"); got != "0 alive\n" {
		t.Errorf("the living run's sandbox: %q", got)
	}
}

func TestOwnerDead(t *testing.T) {
	self := thisProcess()
	change := func(f func(*owner)) owner {
		o := self
		f(&o)
		return o
	}
	tests := map[string]struct {
		owner owner
		want  bool
	}{
		"this process":            {self, false},
		"the number came again":   {change(func(o *owner) { o.start = "1" }), true},
		"no such process":         {change(func(o *owner) { o.pid = 1 << 30 }), true},
		"the machine restarted":   {change(func(o *owner) { o.boot = "other" }), true},
		"unseen in its namespace": {change(func(o *owner) { o.pidns, o.start = "1", "1" }), false},
	}
	for name, test := range tests {
		if got := test.owner.dead(); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
		if parsed, ok := parseOwner(test.owner.String()); !ok || parsed != test.owner {
			t.Errorf("%s: parsed %+v", name, parsed)
		}
	}
	for _, label := range []string{"", "nobody", "a/b/c/d", "a/b/1"} {
		if _, ok := parseOwner(label); ok {
			t.Errorf("%q is an owner", label)
		}
	}
}

// Under hidepid another user's process has no folder in /proc.
func TestAnOwnerThatIsHiddenIsNotDead(t *testing.T) {
	o := owner{start: "7"}
	for name, c := range map[string]struct {
		start          string
		unread, signal error
		want           bool
	}{
		"itself":                {"7", nil, nil, false},
		"another user's":        {"7", nil, syscall.EPERM, false},
		"the number came again": {"8", nil, nil, true},
		"hidden":                {"", os.ErrNotExist, syscall.EPERM, false},
		"nobody":                {"", os.ErrNotExist, syscall.ESRCH, true},
		"this machine says no":  {"", os.ErrPermission, nil, false},
	} {
		if got := o.gone(c.start, c.unread, c.signal); got != c.want {
			t.Errorf("%s: gone %v", name, got)
		}
	}
}
