package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/docker"
	"github.com/reapcheck/reapcheck/harness/sandbox/namespace"
	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

// Whoever may use the engine and is not root may not look into its containers, as
// root of a user namespace of their own neither.
func TestAnOrdinaryUserOfTheEngineGetsNamespaces(t *testing.T) {
	if err := docker.Answers(t.Context()); err != nil {
		t.Skip("no engine: ", err)
	}
	socket, err := os.Stat("/var/run/docker.sock")
	if err != nil {
		t.Skip("the engine's group is not known: ", err)
	}
	child := exec.Command(sandboxtest.OfNobody(t))
	child.Env = append(os.Environ(), sandboxtest.AsChild(t, "chooses"))
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: sandboxtest.Nobody, Gid: sandboxtest.Nobody, Groups: []uint32{socket.Sys().(*syscall.Stat_t).Gid}}}
	if out, err := child.CombinedOutput(); err != nil || string(out) != "namespace this user may not look into the engine's containers <nil>\n" {
		t.Errorf("%v: %s", err, out)
	}
}

func TestMain(m *testing.M) {
	sandboxtest.Main(m, map[string]func(string) int{"chooses": sayChoice}, func() error { return nil })
}

// sayChoice chooses as a command does, and again once it is root.
func sayChoice(string) int {
	kind, why, err := Choose(context.Background(), Auto, Need{})
	if err == nil {
		err = kind.Enter()
	}
	fmt.Println(kind.Name, why, err)
	return 0
}

// needNamespaces skips where none can be made; in CI that is a failure.
func needNamespaces(t *testing.T) {
	t.Helper()
	if err := namespace.Try(); err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("no namespaces, and CI=true demands them: %v", err)
	} else if err != nil {
		t.Skipf("no namespaces: %v", err)
	}
}

// What only one runtime can do is asked of that one, and refused of the other.
func TestChooseByWhatIsNeeded(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nonexistent.sock") // nothing is asked of it
	for name, need := range map[string]Need{"an image": {Image: true}, "a base image": {BaseImage: true}} {
		if kind, why, err := Choose(t.Context(), Auto, need); kind.Name != "docker" || why != "" || err != nil {
			t.Errorf("%s: %q, %q, %v", name, kind.Name, why, err)
		}
	}
	if _, _, err := Choose(t.Context(), "namespace", Need{Image: true}); !errors.Is(err, ErrChoice) || !strings.Contains(err.Error(), "cannot run an image") {
		t.Errorf("an image in a namespace: %v", err)
	}
	needNamespaces(t)
	if kind, _, err := Choose(t.Context(), Auto, Need{OwnOnly: true, BaseImage: true}); kind.Name != "namespace" || err != nil {
		t.Errorf("programs of this project alone: %q, %v", kind.Name, err)
	}
}

func TestChoose(t *testing.T) {
	for _, wish := range []string{"docker", "namespace"} {
		if kind, why, err := Choose(t.Context(), wish, Need{}); kind.Name != wish || why != "" || err != nil {
			t.Errorf("%s: %q, %q, %v", wish, kind.Name, why, err)
		}
	}
	if _, _, err := Choose(t.Context(), "podman", Need{}); !errors.Is(err, ErrChoice) || errors.Is(err, sandbox.ErrUnavailable) {
		t.Errorf("podman: %v", err)
	}
	needNamespaces(t)
	t.Setenv("DOCKER_HOST", "unix:///nonexistent.sock")
	if kind, why, err := Choose(t.Context(), Auto, Need{}); kind.Name != "namespace" || !strings.Contains(why, "nonexistent.sock") || err != nil {
		t.Errorf("no engine: %q, %q, %v", kind.Name, why, err)
	}
}

// Where an engine answers it is taken, but by those who could not look into its
// containers and have something better.
func TestChooseBesideAnEngine(t *testing.T) {
	needNamespaces(t)
	forbidden := &fs.PathError{Op: "readlink", Path: "/proc/1/ns/pid", Err: fs.ErrPermission}
	for want, view := range map[string]error{"docker": nil, "namespace": forbidden} {
		if name, why := besideEngine(view); name != want || (why == "") != (view == nil) {
			t.Errorf("view %v: %q, %q", view, name, why)
		}
	}
}
