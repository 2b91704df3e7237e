package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// engineFront stands before the engine's socket, so that the engine can be lost
// without being stopped: others may be using it.
type engineFront struct {
	listener net.Listener
	engine   string
	serving  sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
	lost  bool
}

const engineSocket = "/var/run/docker.sock"

// newEngineFront skips where no engine is; in CI that is a failure.
func newEngineFront(t *testing.T) *engineFront {
	t.Helper()
	conn, err := net.Dial("unix", engineSocket)
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatal("no engine, and CI=true demands one:", err)
	} else if err != nil {
		t.Skip("no engine:", err)
	}
	conn.Close()
	f := &engineFront{engine: engineSocket}
	if f.listener, err = net.Listen("unix", filepath.Join(shortFolder(t), "docker.sock")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.lose)
	f.serving.Go(f.serve)
	return f
}

func (f *engineFront) serve() {
	for {
		from, err := f.listener.Accept()
		if err != nil {
			return
		}
		to, err := net.Dial("unix", f.engine)
		if err != nil || !f.keep(from, to) {
			from.Close()
			continue
		}
		f.serving.Go(func() { pipe(to, from) })
		f.serving.Go(func() { pipe(from, to) })
	}
}

// pipe passes the end of one direction on and leaves the other one open: the
// engine's attached streams are closed by halves.
func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.(*net.UnixConn).CloseWrite()
}

// keep says whether the engine is still there.
func (f *engineFront) keep(conns ...net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns = append(f.conns, conns...)
	if f.lost {
		conns[1].Close()
	}
	return !f.lost
}

// lose ends all connections and takes no more. It may be called twice.
func (f *engineFront) lose() {
	f.listener.Close()
	f.mu.Lock()
	f.lost = true
	for _, c := range f.conns {
		c.Close()
	}
	f.mu.Unlock()
	f.serving.Wait()
}

// The engine goes away once the first trials are on disk. The targets run on,
// and their answers are all right: that alone must not make a pass.
func TestAnEngineThatIsLostIsNoPass(t *testing.T) {
	t.Parallel()
	front := newEngineFront(t)
	cmd, parent := gateCommand(t, "--runtime=docker", "--binary="+built(t, "daemon"),
		"--only=start-errors")
	cmd.Env = append(os.Environ(), "DOCKER_HOST=unix://"+front.listener.Addr().String())
	ctx, cancel := context.WithTimeout(t.Context(), runLimit)
	defer cancel()
	began := make(chan bool, 1)
	go func() {
		began <- firstTrial(ctx, filepath.Join(parent, "latest", "start-errors", "candidate.jsonl"))
		front.lose()
	}()
	o := finish(t, cmd, parent)
	cancel()
	if !<-began {
		t.Fatalf("no trial was run before the engine was lost:\n%s", o.said)
	}
	if run := o.load(t); run.Verdict != trial.Inconclusive || run.Info.Problem == "" ||
		o.status != exitInfrastructure {
		t.Errorf("exit status %d, verdict %v:\n%s", o.status, run.Verdict, o.said)
	}
	swept, err := exec.Command(built(t, "reapcheck"), "sweep").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(swept), "removed ") ||
		strings.HasPrefix(string(swept), "removed 0 containers") {
		t.Errorf("clean up after the lost engine: %v: %s", err, swept)
	}
}

// firstTrial waits until a recording has one.
func firstTrial(ctx context.Context, path string) bool {
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		if text, err := os.ReadFile(path); err == nil && bytes.Contains(text, []byte(`"trial"`)) {
			return true
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return false
		}
	}
}
