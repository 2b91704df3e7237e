package namespace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/netns"
	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

// namespaceRuntime is closed with the test. It skips where namespaces cannot
// be made; in CI that is a failure.
func namespaceRuntime(t *testing.T) *Runtime {
	t.Helper()
	rt := New("")
	if err := rt.Prepare(t.Context(), io.Discard); err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("no namespaces, and CI=true demands them: %v", err)
	} else if err != nil {
		t.Skipf("no namespaces: %v", err)
	}
	t.Cleanup(func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return rt
}

// inside lists who lives in a sandbox.
func inside(t *testing.T, sb sandbox.Sandbox) probe.Snapshot {
	t.Helper()
	s, err := probe.Look(sb.PID())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNamespaceSandboxLife(t *testing.T) {
	t.Setenv("SECRET", "of the harness")
	s := sandboxtest.Spec(t)
	s.Env = map[string]string{"GREETING": "hello"}
	sb := sandboxtest.Start(t, namespaceRuntime(t), s)

	if got := sandboxtest.Shell(t, sb, "ls /nonexistent"); !strings.HasPrefix(got, "2 ") {
		t.Errorf("ls /nonexistent: exit status 2 expected, got %q", got)
	}
	if got := sandboxtest.Shell(t, sb, "echo $PPID $HOME $SECRET; pwd"); got != "0 1 /\n/\n" {
		t.Errorf("the parent, the environment or the folder: %q", got)
	}
	if log := string(sb.Log()); log != "target starts as 1 GREETING hello\n" {
		t.Errorf("log: %q", log)
	}
	if ended := sb.Ended(); ended != "" {
		t.Errorf("ended while it runs: %q", ended)
	}
	for range 2 { // Stop is idempotent
		if err := sb.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
	<-sb.Done()
	if got := sb.Ended(); got != "exit status 137 (as after signal 9, killed)" {
		t.Errorf("ended: %q", got)
	}
	if !strings.Contains(string(sb.Log()), "target starts") {
		t.Error("the log is gone after Stop")
	}
	if _, err := sb.(sandbox.Dialer).Dial(t.Context(), "tcp", "127.0.0.1:2280"); !errors.Is(err,
		os.ErrProcessDone) {
		t.Errorf("dial after the end: %v", err)
	}
}

// pipesOf gives the target's open pipes by file descriptor.
func pipesOf(t *testing.T, sb sandbox.Sandbox) map[string]string {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/fd", sb.PID())
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	pipes := map[string]string{}
	for _, file := range files {
		if to, _ := os.Readlink(filepath.Join(folder, file.Name())); strings.HasPrefix(to,
			"pipe:") {
			pipes[file.Name()] = to
		}
	}
	return pipes
}

// What a command had no time to remove must not stay on the machine.
func TestTemporaryFilesGoWithTheRun(t *testing.T) {
	rt := namespaceRuntime(t)
	sb := sandboxtest.Start(t, rt, sandboxtest.Spec(t))
	_, file, _ := strings.Cut(strings.TrimSpace(sandboxtest.Shell(t, sb, "mktemp")), " ")
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	if err := rt.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s after the end of the run: %v", file, err)
	}
}

func TestNamespaceHoldsNothingOfOurs(t *testing.T) {
	var inherited [2]int // open across exec, as what a shell hands to its children
	if err := syscall.Pipe(inherited[:]); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(inherited[0]); _ = syscall.Close(inherited[1]) }()
	s := sandboxtest.Spec(t)
	sb := sandboxtest.Start(t, namespaceRuntime(t), s)
	if all := inside(t, sb); len(all) != 1 || all.Target().PID != sb.PID() {
		t.Errorf("the target alone expected, found\n%v", all)
	}
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", sb.PID()))
	if err != nil || string(line) != s.Binary+"\x00" {
		t.Errorf("command line %q, %v", line, err)
	}
	if pipes := pipesOf(t, sb); len(pipes) != 3 || pipes["1"] != pipes["2"] ||
		pipes["0"] == pipes["1"] {
		t.Errorf("an input, output and error as one pipe, and no other pipe, expected: %v", pipes)
	}
	if got := sandboxtest.Shell(t, sb, "ls -d /proc/[0-9]* | head -1"); got != "0 /proc/1\n" {
		t.Errorf("PID 1 in the sandbox's own /proc expected: %q", got)
	}
	if got := sandboxtest.Shell(t, sb,
		"cat /proc/net/dev | grep -c :; grep -c 'proc /proc' /proc/self/mounts"); got != "0 1\n2\n" {
		t.Errorf("one network device and a second /proc expected: %q", got)
	}
	if mounts, err := os.ReadFile("/proc/self/mounts"); err != nil ||
		strings.Count(string(mounts), "proc /proc ") != 1 {
		t.Errorf("mounts of the harness: %v\n%s", err, mounts)
	}
}

func TestNamespaceFrontBecomesTheTarget(t *testing.T) {
	s := sandboxtest.Spec(t, "one", "two")
	s.Front = sandboxtest.Front(t)
	sb := sandboxtest.Start(t, namespaceRuntime(t), s)
	if log := string(sb.Log()); log != "front [first "+s.Binary+
		" one two]\ntarget starts as 1 GREETING \n" {
		t.Errorf("log: %q", log)
	}
}

func TestNamespaceSandboxesShareAPort(t *testing.T) {
	rt := namespaceRuntime(t)
	var starting sync.WaitGroup
	for i := range 4 {
		starting.Go(func() {
			s := sandboxtest.Spec(t)
			s.Env = map[string]string{"NUMBER": fmt.Sprint(i)}
			sb, err := rt.Start(t.Context(), s)
			if err != nil {
				t.Error(err)
				return
			}
			if got, want := sandboxtest.Shell(t, sb, "echo $NUMBER"), fmt.Sprintf("0 %d\n",
				i); got != want {
				t.Errorf("%q from the sandbox that says %q", got, want)
			}
		})
	}
	starting.Wait()
}

func TestNamespaceSignalEndsTarget(t *testing.T) {
	sb := sandboxtest.Start(t, namespaceRuntime(t), sandboxtest.Spec(t))
	if err := sb.Signal(t.Context(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-sb.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("end of PID 1 expected within 10s of SIGTERM")
	}
	if got := sb.Ended(); got != "exit status 2" {
		t.Errorf("ended: %q", got)
	}
	if err := sb.Signal(t.Context(), syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal after the end: os.ErrProcessDone expected, got %v", err)
	}
}

func TestNamespaceTargetThatFails(t *testing.T) {
	rt := namespaceRuntime(t)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*sandbox.Spec)
		kind   error
		words  []string
	}{
		"dies": {func(s *sandbox.Spec) { s.Args = []string{"exit", "3"} }, sandbox.ErrTarget,
			[]string{"ended before it was ready: exit status 3", "reason 30", "reason 12\n",
				"!reason 10\n"}},
		"unready": {func(s *sandbox.Spec) {
			s.Args = []string{"unready"}
			s.StartLimit = time.Second
		}, sandbox.ErrTarget,
			[]string{"/healthz expected within 1s, last saw 404 Not Found", "target starts as 1"}},
		"deaf": {func(s *sandbox.Spec) { s.Args = []string{"deaf"}; s.StartLimit = time.Second },
			sandbox.ErrTarget,
			[]string{"expected within 1s, last saw", "refused", "0.0.0.0:2280"}},
		"text": {func(s *sandbox.Spec) { s.Binary = text }, sandbox.ErrTarget,
			[]string{"execute target: exec format error"}},
		"missing": {func(s *sandbox.Spec) { s.Binary = "/nonexistent" }, sandbox.ErrTarget,
			[]string{"execute target: no such file"}},
		"image": {func(s *sandbox.Spec) { s.Binary, s.Image = "", "debian" },
			sandbox.ErrUnavailable, []string{"run image debian", "docker runtime"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := sandboxtest.Spec(t)
			s.Name = name
			test.change(&s)
			sb, err := rt.Start(t.Context(), s)
			if sb != nil {
				t.Error("a sandbox beside the error")
			}
			sandboxtest.MustSay(t, err, test.kind, append(test.words, "start sandbox "+name)...)
		})
	}
}

func TestNamespaceCloseEndsAll(t *testing.T) {
	rt := namespaceRuntime(t)
	sb := sandboxtest.Start(t, rt, sandboxtest.Spec(t))
	starting := make(chan error)
	ctx, interrupt := context.WithCancelCause(t.Context())
	go func() {
		s := sandboxtest.Spec(t, "deaf")
		_, err := rt.Start(ctx, s)
		starting <- err
	}()
	interrupt(errors.New("enough"))
	if err := <-starting; err == nil || !strings.Contains(err.Error(), "enough") {
		t.Errorf("interrupted start: %v", err)
	}
	for range 2 {
		if err := rt.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if sb.Ended() == "" {
		t.Error("the sandbox lives on")
	}
	if _, err := rt.Start(t.Context(), sandboxtest.Spec(t)); err == nil {
		t.Error("a closed runtime starts a sandbox")
	}
}

// mustEnd waits until every process of a snapshot has ended.
func mustEnd(t *testing.T, all probe.Snapshot) {
	t.Helper()
	const limit = 10 * time.Second
	deadline := time.Now().Add(limit)
	for _, p := range all {
		for syscall.Kill(p.PID, 0) == nil {
			if time.Now().After(deadline) {
				t.Fatalf("end of all within %v of the harness's expected, process %d (%s) lives",
					limit, p.PID, p.Name)
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// sleepIn starts two commands in a sandbox that is not ours, and lists who
// lives there then.
func sleepIn(t *testing.T, target int) probe.Snapshot {
	t.Helper()
	network, err := netns.Open(target)
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	sb := &namespaced{url: "http://127.0.0.1:2280", net: network}
	sandboxtest.Shell(t, sb, "setsid sleep 60 >/dev/null 2>&1 & (sleep 61 >/dev/null 2>&1 &)")
	all, err := probe.Look(target)
	if err != nil || len(all) != 3 {
		t.Fatalf("the target and two sleeps expected: %v\n%v", err, all)
	}
	return all
}

func TestNothingOutlivesAHarnessThatIsKilled(t *testing.T) {
	namespaceRuntime(t)
	child, target := sandboxtest.StartChild(t, os.Args[0], "orphan", nil)
	all := sleepIn(t, target)
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	mustEnd(t, all)
}

func TestNamespaceOwnTemp(t *testing.T) { sandboxtest.MustHaveOwnTemp(t, namespaceRuntime(t)) }
