package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

// containersOf counts the run's containers whose name holds a sandbox's name.
func containersOf(d *Runtime, name string) (int, error) {
	list, err := d.engine().ContainerList(context.Background(), client.ContainerListOptions{
		All: true, Filters: client.Filters{}.Add("name", "reapcheck-"+d.id+"-"+name+"-"),
	})
	return len(list.Items), err
}

func mustBeGone(t *testing.T, d *Runtime, name string) {
	t.Helper()
	if n, err := containersOf(d, name); n != 0 || err != nil {
		t.Errorf("no container of %s expected, found %d (%v)", name, n, err)
	}
}

func TestDockerTargetThatFails(t *testing.T) {
	d := runtimeOf(t)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no program\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*sandbox.Spec)
		words  []string
	}{
		{"dies", func(s *sandbox.Spec) { s.Args = []string{"exit", "3"} },
			[]string{"ended before it was ready: exit status 3", "reason 30", "reason 12\n",
				"!reason 10\n"}},
		{"flood", func(s *sandbox.Spec) { s.Args = []string{"flood"} },
			[]string{"exit status 5", "the last word"}},
		{"unready",
			func(s *sandbox.Spec) { s.Args = []string{"unready"}; s.StartLimit = 5 * time.Second },
			[]string{"/healthz expected within 5s, last saw 404 Not Found", "target starts as 1"}},
		{"deaf", func(s *sandbox.Spec) { s.Args = []string{"deaf"}; s.StartLimit = time.Second },
			[]string{"expected within 1s, last saw", "0.0.0.0:2280"}},
		{"text", func(s *sandbox.Spec) { s.Binary = text }, []string{"exec format error"}},
		{"no-entry-point", func(s *sandbox.Spec) {
			s.Binary, s.Image, s.Args = "", d.facts["base"],
				[]string{"/nonexistent"}
		},
			[]string{"execute target", "/nonexistent", "entry point"}},
		{"no-image", func(s *sandbox.Spec) { s.Binary, s.Image = "", "reapcheck.invalid/none:1" },
			[]string{"pull reapcheck.invalid/none:1", "docker load"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := sandboxtest.Spec(t)
			s.Name = test.name
			test.change(&s)
			sb, err := d.Start(t.Context(), s)
			if sb != nil {
				t.Error("a sandbox came with the error")
			}
			sandboxtest.MustSay(t, err, sandbox.ErrTarget, test.words...)
			mustBeGone(t, d, s.Name)
		})
	}
}

func TestDockerRefusesImpossibleSpec(t *testing.T) {
	d := runtimeOf(t)
	for name, change := range map[string]func(*sandbox.Spec){
		"neither":   func(s *sandbox.Spec) { s.Binary = "" },
		"both":      func(s *sandbox.Spec) { s.Image = "x" },
		"no port":   func(s *sandbox.Spec) { s.Port = 0 },
		"high port": func(s *sandbox.Spec) { s.Port = 70000 },
		"no file":   func(s *sandbox.Spec) { s.Binary = "/nonexistent/daemon" },
	} {
		s := sandboxtest.Spec(t)
		change(&s)
		if _, err := d.Start(t.Context(), s); err == nil {
			t.Errorf("%s: an error expected", name)
		}
	}
}

// interruptOnce cancels the context it returns as soon as seen finds something
// to leave behind. The second function waits for the end of the watch.
func interruptOnce(t *testing.T, seen func() (bool, error)) (context.Context, func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		defer cancel()
		for tick := time.NewTicker(10 * time.Millisecond); ctx.Err() == nil; <-tick.C {
			if found, err := seen(); found || err != nil {
				return
			}
		}
	})
	return ctx, func() { cancel(); watching.Wait() }
}

func TestDockerStartInterrupted(t *testing.T) {
	d := runtimeOf(t)
	s := sandboxtest.Spec(t, "deaf")
	s.Name = "interrupted"
	ctx, end := interruptOnce(t, func() (bool, error) {
		n, err := containersOf(d, s.Name)
		return n > 0, err
	})
	defer end()
	if _, err := d.Start(ctx, s); !errors.Is(err, context.Canceled) {
		t.Errorf("the interrupt expected, got: %v", err)
	}
	mustBeGone(t, d, s.Name)
}

func TestDockerBuildInterrupted(t *testing.T) {
	needEngine(t)
	d := New(Config{Run: "test-interrupted", Binaries: []string{sandboxtest.Spec(t).Binary}})
	// The watch has a connection of its own: Prepare sets d's.
	watch := &Runtime{config: d.config, owner: d.owner}
	if err := watch.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer watch.provider.Close()
	ctx, end := interruptOnce(t, func() (bool, error) {
		left, err := leftOf(watch)
		return strings.Contains(left, "sha256:"), err // the build's first layer
	})
	defer end()
	if err := d.Prepare(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("the interrupt expected, got: %v", err)
	}
	if err := d.Close(ctx); err != nil {
		t.Error(err)
	}
	// A step that the builder still finishes takes 1 s on a slow disk.
	for deadline := time.After(3 * time.Second); ; {
		if left, err := leftOf(d); left != "" || err != nil {
			t.Fatalf("left behind: %s (%v)", left, err)
		}
		select {
		case <-deadline:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func TestDockerImageThatDoesNotBuild(t *testing.T) {
	needEngine(t)
	d := New(Config{Run: "test-broken"})
	d.dockerfile = []byte(
		"ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nARG RUN OWNER\nLABEL org.reapcheck.run=${RUN} org.reapcheck.owner=${OWNER}\nCOPY nothing /here\n")
	err := d.Prepare(t.Context(), io.Discard)
	sandboxtest.MustSay(t, err, sandbox.ErrUnavailable, "build image on", "COPY failed", "nothing",
		"another base image", "Step ")
	if err := d.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if left, err := leftOf(d); left != "" || err != nil {
		t.Errorf("left behind: %s (%v)", left, err)
	}
}

func TestDockerChosenBaseImage(t *testing.T) {
	needEngine(t)
	d := New(Config{Run: "test-base", BaseImage: "reapcheck.invalid/none:1"})
	sandboxtest.MustSay(t, d.Prepare(t.Context(), io.Discard), sandbox.ErrUnavailable,
		"find base image reapcheck.invalid/none:1", "docker load", "name no base image")

	d.config.BaseImage = runtimeOf(t).image
	if got, err := d.chooseBase(t.Context(), io.Discard); err != nil ||
		got != (base{d.config.BaseImage, "was here"}) {
		t.Errorf("%+v, %v", got, err)
	}
}

// A registry that accepts and never answers must not stop a run for long.
func TestDockerPullHasALimit(t *testing.T) {
	d := runtimeOf(t)
	registry, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer registry.Close()
	err = d.pull(t.Context(), registry.Addr().String()+"/none:1", 300*time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "not pulled within 300ms") {
		t.Errorf("the limit expected, got: %v", err)
	}
}

func TestDockerNeedsItsBinaries(t *testing.T) {
	needEngine(t)
	d := New(Config{Run: "test-nothing", Binaries: []string{"/nonexistent/daemon"}})
	sandboxtest.MustSay(t, d.Prepare(t.Context(), io.Discard), sandbox.ErrUnavailable,
		"/nonexistent/daemon", "make build")
	d.config.Binaries = []string{"/bin/ls", "/usr/bin/../bin/ls"}
	sandboxtest.MustSay(t, d.Prepare(t.Context(), io.Discard), sandbox.ErrUnavailable,
		"same file name")
}

func TestDockerEngineThatDoesNotAnswer(t *testing.T) {
	dir := t.TempDir()
	mute := listen(t, filepath.Join(dir, "mute"))
	if err := os.WriteFile(filepath.Join(dir, "stale"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, host, words string }{
		{"absent", "unix://" + dir + "/absent", "install Docker Engine"},
		{"stale socket", "unix://" + dir + "/stale", "start the engine"},
		{"closed port", "tcp://127.0.0.1:1", "start the engine"},
		{"mute", "unix://" + mute, "did not answer within"},
		{"not a URL", "nowhere", "correct or unset DOCKER_HOST"},
		{"unknown scheme", "ssh://127.0.0.1", "correct or unset DOCKER_HOST"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("DOCKER_HOST", test.host)
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			var progress bytes.Buffer
			err := New(Config{Run: "test-nowhere"}).Prepare(ctx, &progress)
			sandboxtest.MustSay(t, err, sandbox.ErrUnavailable, "reach docker engine at "+test.host,
				test.words)

			ctx, cancel = context.WithTimeout(t.Context(), 4*time.Second)
			defer cancel()
			checks := Diagnose(ctx)
			if first := checks[0]; first.OK || !strings.Contains(first.Advice, test.words) {
				t.Errorf("doctor: %+v", first)
			}
		})
	}
}

// listen accepts connections at a socket and never answers.
func listen(t *testing.T, path string) string {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return path
}

// The texts are what Docker Engine 20.10 said.
func TestCreateFailed(t *testing.T) {
	const noSpace = "no space left on device"
	tests := []struct {
		name  string
		cause error
		kind  error
		words string
	}{
		{"no bridge",
			errdefs.ErrInternal.WithMessage(
				"failed to create endpoint t-1 on network bridge: adding interface veth4e1949d to bridge docker0 failed"), sandbox.ErrUnavailable, "engine's own log"},
		{"full at creation", errdefs.ErrInternal.WithMessage(noSpace), sandbox.ErrUnavailable,
			"disk is full"},
		{"full at start",
			errdefs.ErrInternal.WithMessage("failed to update bridge store: write local-kv.db: " +
				noSpace), sandbox.ErrUnavailable, "disk is full"},
		{"not found",
			errdefs.ErrInvalidArgument.WithMessage(
				`OCI runtime create failed: exec: "/x": stat /x: no such file or directory: unknown`), sandbox.ErrTarget, "CGO_ENABLED=0"},
		{"not readable here", fmt.Errorf("can't copy: %w", fs.ErrPermission), sandbox.ErrTarget,
			"CGO_ENABLED=0"},
		{"interrupted", context.Canceled, context.Canceled, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			sandboxtest.MustSay(t, createFailed(fmt.Errorf("container start: %w", test.cause)),
				test.kind, test.words)
		})
	}
}

func TestOnThisMachine(t *testing.T) {
	for endpoint, want := range map[string]bool{
		"unix:///var/run/docker.sock": true, "tcp://127.0.0.1:2375": true,
		"tcp://localhost:2375": true,
		"tcp://[::1]:2375":     true, "tcp://docker:2375": false, "tcp://192.0.2.7:2376": false,
		"": false,
	} {
		if got := onThisMachine(endpoint); got != want {
			t.Errorf("%q: %v", endpoint, got)
		}
	}
}

// An engine that answers the first word and nothing after it must not hold a run
// for ever.
func TestDockerEngineThatFallsSilent(t *testing.T) {
	patient := engineLimit
	engineLimit = 300 * time.Millisecond
	defer func() { engineLimit = patient }()
	silent := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/_ping") {
			w.Header().Set("Api-Version", "1.41")
			return
		}
		<-r.Context().Done()
	}))
	path := filepath.Join(t.TempDir(), "silent")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	silent.Listener = l
	silent.Start()
	t.Cleanup(silent.Close)
	t.Setenv("DOCKER_HOST", "unix://"+path)
	d := New(Config{Run: "test-silent"})
	sandboxtest.MustSay(t, d.Prepare(t.Context(), io.Discard), sandbox.ErrUnavailable,
		errSilent.Error(), "restart the engine")
	sandboxtest.MustSay(t, createFailed(errSilent), sandbox.ErrUnavailable, "make container",
		"restart the engine")

	engine, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	c := &container{
		engine: engine,
		id:     "any",
		log:    &sandbox.LogTail{Limit: sandbox.LogLimit},
		done:   make(chan struct{}),
	}
	sandboxtest.MustSay(t, c.watch(t.Context()), sandbox.ErrUnavailable, errSilent.Error(),
		"restart the engine")
	_, err = c.locate(t.Context(), sandbox.Spec{Port: 80})
	sandboxtest.MustSay(t, err, sandbox.ErrUnavailable, errSilent.Error(), "restart the engine")
}
