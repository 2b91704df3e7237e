package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// shared is the runtime of all tests that need no other: an image takes
// seconds to build. TestMain closes it.
var shared = sync.OnceValues(func() (*Docker, error) {
	path, err := buildTarget()
	if err != nil {
		return nil, err
	}
	d := NewDocker(DockerConfig{Run: testRun(os.Getpid()), Binaries: []string{path}})
	return d, d.Prepare(context.Background(), io.Discard)
})

// buildTarget compiles the tests' target once.
var buildTarget = sync.OnceValues(func() (string, error) {
	path := filepath.Join(targetDir, "daemon")
	build := exec.Command("go", "build", "-trimpath", "-o", path, "./testdata/target")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build target: %w: %s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	if os.Getenv(runAsChild) != "" {
		os.Exit(childMain())
	}
	if err := BecomeRoot(); err != nil {
		fmt.Fprintln(os.Stderr, "namespace tests are skipped:", err)
	}
	var err error
	if targetDir, err = os.MkdirTemp("", "reapcheck-target-"); err != nil {
		panic(err)
	}
	if err = os.Chmod(targetDir, 0o755); err != nil {
		panic(err)
	}
	status := m.Run()
	if err := errors.Join(closeShared(), os.RemoveAll(targetDir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// targetDir is TestMain's. Every user may look into it.
var targetDir string

// closeShared fails if the runtime leaves anything behind. Where no test has
// used the runtime it is not made now.
func closeShared() error {
	if !sharedUsed.Load() {
		return nil
	}
	d, err := shared()
	if d == nil || err != nil {
		return err
	}
	if err := d.Close(context.Background()); err != nil {
		return err
	}
	left, err := leftOf(d)
	if err == nil && left != "" {
		err = fmt.Errorf("left behind: %s", left)
	}
	return err
}

var sharedUsed atomic.Bool

func runtimeOf(t *testing.T) *Docker {
	t.Helper()
	needEngine(t)
	sharedUsed.Store(true)
	d, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// needEngine skips where no engine is; in CI that is a failure.
func needEngine(t *testing.T) {
	t.Helper()
	provider, err := findEngine(t.Context())
	if err == nil {
		provider.Close()
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("no engine, and CI=true demands one: %v", err)
	}
	t.Skipf("no engine: %v", err)
}

// leftOf names the containers, networks and images that carry the run's and
// this process's labels.
func leftOf(d *Docker) (string, error) {
	ctx := context.Background()
	mine := client.Filters{}.Add("label", runLabel+"="+d.config.Run, ownerLabel+"="+d.owner)
	containers, err := d.engine().ContainerList(ctx, client.ContainerListOptions{All: true, Filters: mine})
	if err != nil {
		return "", err
	}
	networks, err := d.engine().NetworkList(ctx, client.NetworkListOptions{Filters: mine})
	if err != nil {
		return "", err
	}
	images, err := d.engine().ImageList(ctx, client.ImageListOptions{All: true, Filters: mine})
	var left []string
	for _, c := range containers.Items {
		left = append(left, c.Names...)
	}
	for _, n := range networks.Items {
		left = append(left, n.Name)
	}
	for _, i := range images.Items {
		left = append(left, i.ID)
	}
	return strings.Join(left, " "), err
}

// spec is the tests' target, told by args how to behave.
func spec(t *testing.T, args ...string) Spec {
	t.Helper()
	path, err := buildTarget()
	if err != nil {
		t.Fatal(err)
	}
	return Spec{Name: "t", Binary: path, Args: args, Port: 2280, Ready: "/healthz"}
}

func start(t *testing.T, rt Runtime, s Spec) Sandbox {
	t.Helper()
	sb, err := rt.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sb.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return sb
}

// sh runs a shell command in the sandbox: "<exit status> <output>".
func sh(t *testing.T, sb Sandbox, command string) string {
	t.Helper()
	client := http.Client{Transport: Transport(sb)}
	defer client.CloseIdleConnections()
	answer, err := client.Get(sb.URL() + "/sh?c=" + url.QueryEscape(command))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestDockerSandboxLife(t *testing.T) {
	d := runtimeOf(t)
	s := spec(t)
	s.Env = map[string]string{"GREETING": "hello"}
	sb := start(t, d, s)

	if got := sh(t, sb, "ls /nonexistent"); !strings.HasPrefix(got, "2 ") {
		t.Errorf("ls /nonexistent: exit status 2 expected, got %q", got)
	}
	if got := sh(t, sb, "echo $PPID; awk 2>/dev/null; seq 3 | sort -r | head -1"); !strings.HasPrefix(got, "0 1\n") || !strings.HasSuffix(got, "3\n") {
		t.Errorf("the shell's parent is not PID 1, or a pipe fails: %q", got)
	}
	if log := string(sb.Log()); !strings.Contains(log, "target starts as 1 GREETING hello\n") {
		t.Errorf("log: %q", log)
	}
	if pid := sb.PID(); pid == 0 {
		t.Error("the engine is local and the PID is unknown")
	} else if err := syscall.Kill(pid, 0); err != nil {
		t.Errorf("PID %d: %v", pid, err)
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
}

func TestDockerSignalEndsTarget(t *testing.T) {
	sb := start(t, runtimeOf(t), spec(t))
	if err := sb.Signal(t.Context(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-sb.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("end of PID 1 expected within 10s of SIGTERM")
	}
	if got := sb.Ended(); got != "exit status 2" && !strings.Contains(got, "signal 15") {
		t.Errorf("ended: %q", got)
	}
	if err := sb.Signal(t.Context(), syscall.SIGTERM); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal after the end: os.ErrProcessDone expected, got %v", err)
	}
}
