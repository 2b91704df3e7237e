package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

// shared is the runtime of all tests that need no other: an image takes
// seconds to build. TestMain closes it.
var shared = sync.OnceValues(func() (*Runtime, error) {
	path, err := sandboxtest.Target()
	if err != nil {
		return nil, err
	}
	d := New(Config{Run: sandboxtest.RunName(os.Getpid()), Binaries: []string{path}})
	return d, d.Prepare(context.Background(), io.Discard)
})

func TestMain(m *testing.M) {
	sandboxtest.Main(m, map[string]func(string) int{"orphan": liveAsOrphan}, closeShared)
}

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

func runtimeOf(t *testing.T) *Runtime {
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
func leftOf(d *Runtime) (string, error) {
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

func TestDockerSandboxLife(t *testing.T) {
	d := runtimeOf(t)
	s := sandboxtest.Spec(t)
	s.Env = map[string]string{"GREETING": "hello"}
	sb := sandboxtest.Start(t, d, s)

	if got := sandboxtest.Shell(t, sb, "ls /nonexistent"); !strings.HasPrefix(got, "2 ") {
		t.Errorf("ls /nonexistent: exit status 2 expected, got %q", got)
	}
	if got := sandboxtest.Shell(t, sb, "echo $PPID; awk 2>/dev/null; seq 3 | sort -r | head -1"); !strings.HasPrefix(got, "0 1\n") || !strings.HasSuffix(got, "3\n") {
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
	sb := sandboxtest.Start(t, runtimeOf(t), sandboxtest.Spec(t))
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
