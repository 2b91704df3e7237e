package docker

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/moby/moby/client"

	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

func TestDockerManyAtOnce(t *testing.T) {
	d := runtimeOf(t)
	const many = 6
	var starting sync.WaitGroup
	sandboxes := make([]sandbox.Sandbox, many)
	for i := range many {
		starting.Go(func() {
			s := sandboxtest.Spec(t)
			s.Env = map[string]string{"GREETING": fmt.Sprint("number ", i)}
			var err error
			if sandboxes[i], err = d.Start(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
	for i, sb := range sandboxes {
		if sb == nil {
			continue
		}
		if got, want := sandboxtest.Shell(t, sb, "echo $GREETING"), fmt.Sprintf("0 number %d\n",
			i); got != want {
			t.Errorf("sandbox %d: %q expected from its URL, got %q", i, want, got)
		}
		starting.Go(func() {
			if err := sb.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
}

// A binary that is not in the image is copied into the container.
func TestDockerCopiesForeignBinary(t *testing.T) {
	s := sandboxtest.Spec(t)
	data, err := os.ReadFile(s.Binary)
	if err != nil {
		t.Fatal(err)
	}
	s.Binary = filepath.Join(t.TempDir(), "someone's daemon")
	if err := os.WriteFile(s.Binary, data, 0o700); err != nil {
		t.Fatal(err)
	}
	sb := sandboxtest.Start(t, runtimeOf(t), s)
	if got := sandboxtest.Shell(t, sb,
		"cat /proc/1/cmdline | tr '\\0' ' '"); got != "0 /usr/local/bin/target-someone's daemon " {
		t.Errorf("PID 1: %q", got)
	}
}

// The loader answers 127 for a program whose libraries are missing.
func TestMadeBaseRunsAllItsPrograms(t *testing.T) {
	d := runtimeOf(t)
	if !strings.HasPrefix(d.facts["base source"], "made") {
		t.Skipf("the base is %s, %s", d.facts["base"], d.facts["base source"])
	}
	got := sandboxtest.Shell(t, sandboxtest.Start(t, d, sandboxtest.Spec(t)),
		`for p in /usr/bin/* /bin/*; do
		env "$p" --help </dev/null >/dev/null 2>&1; [ $? != 127 ] || echo "$p"
	done; ls /usr/bin/* | wc -l`)
	count, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(got, "0 ")))
	if err != nil || count < 24 {
		t.Errorf("no broken program and at least 24 expected, got %q", got)
	}
}

// An image brings its own entry point.
func TestDockerRunsImage(t *testing.T) {
	d := runtimeOf(t)
	s := sandboxtest.Spec(t, "exit", "4")
	s.Image, s.Binary = d.image, ""
	_, err := d.Start(t.Context(), s)
	sandboxtest.MustSay(t, err, sandbox.ErrTarget, "exit status 4", "reason 30")
}

func TestDockerKeepsTheEnginesLimits(t *testing.T) {
	d := runtimeOf(t)
	sb := sandboxtest.Start(t, d, sandboxtest.Spec(t)).(*container)
	answer, err := d.engine().ContainerInspect(t.Context(), sb.id, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	host := answer.Container.HostConfig
	if host.Privileged ||
		len(host.CapAdd)+len(host.SecurityOpt)+len(host.Binds)+len(host.Mounts) > 0 {
		t.Errorf("more than the engine's default: %+v", host)
	}
	for port, bindings := range answer.Container.NetworkSettings.Ports {
		for _, binding := range bindings {
			if !binding.HostIP.IsLoopback() {
				t.Errorf("port %v is published on %v", port, binding.HostIP)
			}
		}
	}
	if got := d.Describe(); got["runtime"] != "docker" || got["engine"] == "" ||
		got["base"] == "" || got["image"] != d.image {
		t.Errorf("describe: %v", got)
	}
}
