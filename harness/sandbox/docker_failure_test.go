package sandbox

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
)

// mustSay checks an error's kind and the words in it, present or (with a
// leading !) absent.
func mustSay(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("%v expected, got: %v", kind, err)
	}
	for _, word := range words {
		forbidden := strings.HasPrefix(word, "!")
		if strings.Contains(err.Error(), strings.TrimPrefix(word, "!")) == forbidden {
			t.Errorf("%q in the error: %v", word, err)
		}
	}
}

// containersOf counts the run's containers whose name holds a sandbox's name.
func containersOf(d *Docker, name string) (int, error) {
	list, err := d.engine().ContainerList(context.Background(), client.ContainerListOptions{
		All: true, Filters: client.Filters{}.Add("name", "reapcheck-"+d.id+"-"+name+"-"),
	})
	return len(list.Items), err
}

func mustBeGone(t *testing.T, d *Docker, name string) {
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
		change func(*Spec)
		words  []string
	}{
		{"dies", func(s *Spec) { s.Args = []string{"exit", "3"} },
			[]string{"ended before it was ready: exit status 3", "reason 30", "reason 12\n", "!reason 10\n"}},
		{"flood", func(s *Spec) { s.Args = []string{"flood"} }, []string{"exit status 5", "the last word"}},
		{"unready", func(s *Spec) { s.Args = []string{"unready"}; s.StartLimit = time.Second },
			[]string{"/healthz expected within 1s, last saw 404 Not Found", "target starts as 1"}},
		{"deaf", func(s *Spec) { s.Args = []string{"deaf"}; s.StartLimit = time.Second },
			[]string{"expected within 1s, last saw", "0.0.0.0:2280"}},
		{"text", func(s *Spec) { s.Binary = text }, []string{"exec format error"}},
		{"no-entry-point", func(s *Spec) { s.Binary, s.Image, s.Args = "", d.facts["base"], []string{"/nonexistent"} },
			[]string{"execute target", "/nonexistent", "entry point"}},
		{"no-image", func(s *Spec) { s.Binary, s.Image = "", "reapcheck.invalid/none:1" },
			[]string{"pull reapcheck.invalid/none:1", "docker load"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := spec(t)
			s.Name = test.name
			test.change(&s)
			sb, err := d.Start(t.Context(), s)
			if sb != nil {
				t.Error("a sandbox came with the error")
			}
			mustSay(t, err, ErrTarget, test.words...)
			mustBeGone(t, d, s.Name)
		})
	}
}

func TestDockerRefusesImpossibleSpec(t *testing.T) {
	d := runtimeOf(t)
	for name, change := range map[string]func(*Spec){
		"neither":   func(s *Spec) { s.Binary = "" },
		"both":      func(s *Spec) { s.Image = "x" },
		"no port":   func(s *Spec) { s.Port = 0 },
		"high port": func(s *Spec) { s.Port = 70000 },
		"no file":   func(s *Spec) { s.Binary = "/nonexistent/daemon" },
	} {
		s := spec(t)
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
	s := spec(t, "deaf")
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
	d := NewDocker(DockerConfig{Run: "test-interrupted", Binaries: []string{spec(t).Binary}})
	// The watch has a connection of its own: Prepare sets d's.
	watch := &Docker{config: d.config, owner: d.owner}
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
	d := NewDocker(DockerConfig{Run: "test-broken"})
	d.dockerfile = []byte("ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nARG RUN OWNER\nLABEL org.reapcheck.run=${RUN} org.reapcheck.owner=${OWNER}\nCOPY nothing /here\n")
	err := d.Prepare(t.Context(), io.Discard)
	mustSay(t, err, ErrUnavailable, "build image on", "COPY failed", "nothing", "--base-image", "Step ")
	if err := d.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if left, err := leftOf(d); left != "" || err != nil {
		t.Errorf("left behind: %s (%v)", left, err)
	}
}

func TestDockerChosenBaseImage(t *testing.T) {
	needEngine(t)
	d := NewDocker(DockerConfig{Run: "test-base", BaseImage: "reapcheck.invalid/none:1"})
	mustSay(t, d.Prepare(t.Context(), io.Discard), ErrUnavailable, "find base image reapcheck.invalid/none:1", "docker load", "leave --base-image out")

	d.config.BaseImage = runtimeOf(t).image
	if got, err := d.chooseBase(t.Context(), io.Discard); err != nil || got != (base{d.config.BaseImage, "was here"}) {
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
	d := NewDocker(DockerConfig{Run: "test-nothing", Binaries: []string{"/nonexistent/daemon"}})
	mustSay(t, d.Prepare(t.Context(), io.Discard), ErrUnavailable, "/nonexistent/daemon", "make build")
	d.config.Binaries = []string{"/bin/ls", "/usr/bin/../bin/ls"}
	mustSay(t, d.Prepare(t.Context(), io.Discard), ErrUnavailable, "same file name")
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
			err := NewDocker(DockerConfig{Run: "test-nowhere"}).Prepare(ctx, &progress)
			mustSay(t, err, ErrUnavailable, "reach docker engine at "+test.host, test.words)

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
		{"no bridge", errdefs.ErrInternal.WithMessage("failed to create endpoint t-1 on network bridge: adding interface veth4e1949d to bridge docker0 failed"), ErrUnavailable, "engine's own log"},
		{"full at creation", errdefs.ErrInternal.WithMessage(noSpace), ErrUnavailable, "disk is full"},
		{"full at start", errdefs.ErrInternal.WithMessage("failed to update bridge store: write local-kv.db: " + noSpace), ErrUnavailable, "disk is full"},
		{"not found", errdefs.ErrInvalidArgument.WithMessage(`OCI runtime create failed: exec: "/x": stat /x: no such file or directory: unknown`), ErrTarget, "CGO_ENABLED=0"},
		{"not readable here", fmt.Errorf("can't copy: %w", fs.ErrPermission), ErrTarget, "CGO_ENABLED=0"},
		{"interrupted", context.Canceled, context.Canceled, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			mustSay(t, createFailed(fmt.Errorf("container start: %w", test.cause)), test.kind, test.words)
		})
	}
}

// The texts are what Docker Engine 20.10 said on a 5 MB and a 40 MB disk.
func TestDiskFull(t *testing.T) {
	for text, want := range map[string]bool{
		"Error response from daemon: ApplyLayer exit status 1 stdout:  stderr: write /usr/lib/libc.so.6: no space left on device": true,
		"build image: ApplyLayer exit status 1 stdout:  stderr: write /usr/local/bin/daemon: no space left on device":             true,
		"build image: COPY failed: file not found in build context":                                                               false,
	} {
		if got := diskFull(errors.New(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	err := unavailable("build image", errors.New("no space left on device"), "another base")
	mustSay(t, err, ErrUnavailable, "disk is full", "!another base")
}

func TestOnThisMachine(t *testing.T) {
	for endpoint, want := range map[string]bool{
		"unix:///var/run/docker.sock": true, "tcp://127.0.0.1:2375": true, "tcp://localhost:2375": true,
		"tcp://[::1]:2375": true, "tcp://docker:2375": false, "tcp://192.0.2.7:2376": false, "": false,
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
	silent := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
	d := NewDocker(DockerConfig{Run: "test-silent"})
	mustSay(t, d.Prepare(t.Context(), io.Discard), ErrUnavailable, errSilent.Error(), "restart the engine")
	mustSay(t, createFailed(errSilent), ErrUnavailable, "make container", "restart the engine")

	engine, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	c := &container{engine: engine, id: "any", log: &logTail{limit: logLimit}, done: make(chan struct{})}
	mustSay(t, c.watch(t.Context()), ErrUnavailable, errSilent.Error(), "restart the engine")
	_, err = c.locate(t.Context(), 80)
	mustSay(t, err, ErrUnavailable, errSilent.Error(), "restart the engine")
}
