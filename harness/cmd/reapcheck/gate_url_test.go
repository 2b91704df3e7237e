package main

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// A target that runs already needs no engine, so none is asked: not for the
// baseline either, where there are namespaces.
func TestATargetAtAURLNeedsNoEngine(t *testing.T) {
	for _, c := range []struct {
		manner  string
		status  int
		verdict trial.Verdict
	}{{"sound", exitPass, trial.Pass}, {"races", exitFail, trial.Fail}} {
		t.Run(c.manner, func(t *testing.T) {
			t.Parallel()
			engine, asked := countingEngine(t)
			url := "http://" + foreignOnThisMachine(t, "--dialect=code", "--manner="+c.manner)
			cmd, parent := gateCommand(t, "--runtime=auto", "--url="+url, "--dialect=code",
				"--only=storm")
			cmd.Env = append(os.Environ(), "DOCKER_HOST=unix://"+engine)
			o := finish(t, cmd, parent)
			o.expect(t, c.status, c.verdict)
			if run := o.load(t); run.Info.Runtime != "namespace" || asked.Load() > 0 {
				t.Errorf("runtime %s, and the engine was asked %d times", run.Info.Runtime,
					asked.Load())
			}
		})
	}
}

// countingEngine is a socket that hangs up on whoever asks.
func countingEngine(t *testing.T) (path string, asked *atomic.Int32) {
	t.Helper()
	path, asked = filepath.Join(shortFolder(t), "docker.sock"), new(atomic.Int32)
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { listener.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			conn.Close()
		}
	}()
	return path, asked
}

// foreignOnThisMachine starts the daemon outside of any sandbox and returns its
// address.
func foreignOnThisMachine(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), built(t, "foreign"),
		append(args, "--listen=127.0.0.1:0")...)
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	lines.Scan()
	ended := make(chan struct{})
	t.Cleanup(func() { <-ended }) // the test's context has killed it by then
	go func() {
		defer close(ended)
		for lines.Scan() {
		}
		_ = cmd.Wait()
	}()
	_, address, found := strings.Cut(lines.Text(), "listening on ")
	if !found {
		t.Fatalf("the daemon said %q", lines.Text())
	}
	return address
}
