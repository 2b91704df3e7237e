package docker

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/system"
)

func TestARuntimeWithItsOwnKernelIsRefusedByName(t *testing.T) {
	for name, refused := range map[string]bool{"runc": false, "crun": false,
		"io.containerd.runc.v2": false, "runsc": true, "kata-runtime": true} {
		err := checkRuntime(system.Info{DefaultRuntime: name})
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnImageOfAnotherMachineIsRefused(t *testing.T) {
	if err := foreign("own", runtime.GOARCH); err != nil {
		t.Error(err)
	}
	if err := foreign("other", "s390x"); err == nil || !strings.Contains(err.Error(), "s390x") {
		t.Errorf("got %v", err)
	}
}

func TestWhatAnEngineIsLike(t *testing.T) {
	info := system.Info{DefaultRuntime: "runc",
		SecurityOptions: []string{"name=seccomp,profile=builtin", "name=selinux", "name=rootless"}}
	if got, want := nature(info, "Docker"), "Docker, runtime runc, selinux, rootless"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !confined(info) || confined(system.Info{}) {
		t.Error("SELinux is seen where it is not, or not where it is")
	}
}

func TestTheContextInUseIsNamed(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("DOCKER_CONFIG", folder)
	t.Setenv("DOCKER_HOST", "")
	t.Setenv("DOCKER_CONTEXT", "")
	if got := otherContext(); got != "" {
		t.Errorf("without a file: %q", got)
	}
	if err := os.WriteFile(filepath.Join(folder, "config.json"),
		[]byte(`{"currentContext":"rootless"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := otherContext(); got != "rootless" {
		t.Errorf("got %q", got)
	}
	if got := contextAdvice("do this"); !strings.Contains(got, "docker context inspect rootless") {
		t.Errorf("got %q", got)
	}
	t.Setenv("DOCKER_HOST", "unix:///x")
	if got := otherContext(); got != "" {
		t.Errorf("with DOCKER_HOST: %q", got)
	}
}
