// Package sandboxtest is for the tests of the runtimes: a target to start in
// sandboxes, and what each runtime's sandboxes must be able to do.
//
// A runtime's TestMain calls Main. The functions named Must are the promises of
// package sandbox, each tried on a sandbox that has just been started.
package sandboxtest

import (
	"bufio"
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
	"syscall"
	"testing"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Main runs a package's tests and calls done when they have ended. A test binary that
// StartChild has started runs the child of that name instead, and ends with what it
// returns.
func Main(m *testing.M, children map[string]func(binary string) int, done func() error) {
	if name, binary, ok := strings.Cut(os.Getenv(asChild), " "); ok {
		os.Exit(children[name](binary))
	}
	var err error
	if folder, err = os.MkdirTemp("", "reapcheck-target-"); err != nil {
		panic(err)
	}
	if err = os.Chmod(folder, 0o755); err != nil {
		panic(err)
	}
	status := m.Run()
	if err := errors.Join(done(), os.RemoveAll(folder)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// folder is Main's. Every user may look into it.
var folder string

// target compiles the tests' target once.
var target = sync.OnceValues(func() (string, error) {
	const source = "github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest/testdata/target"
	path := filepath.Join(folder, "daemon")
	build := exec.Command("go", "build", "-trimpath", "-o", path, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build target: %w: %s", err, out)
	}
	return path, nil
})

// Target is the path of the tests' target.
func Target() (string, error) { return target() }

// MustSay checks an error's kind and the words in it, present or (with a
// leading !) absent.
func MustSay(t *testing.T, err, kind error, words ...string) {
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

// Front is the tests' target under another name.
func Front(t *testing.T) sandbox.Front {
	t.Helper()
	path, err := target()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "front"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	return sandbox.Front{Folder: folder, Program: "front", Args: []string{"first"}}
}

// Spec is the tests' target, told by args how to behave.
func Spec(t *testing.T, args ...string) sandbox.Spec {
	t.Helper()
	path, err := target()
	if err != nil {
		t.Fatal(err)
	}
	return sandbox.Spec{Name: "t", Binary: path, Args: args, Port: 2280, Ready: "/healthz"}
}

// Start starts a sandbox that ends with the test.
func Start(t *testing.T, rt sandbox.Runtime, s sandbox.Spec) sandbox.Sandbox {
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

// Shell runs a shell command in the sandbox: "<exit status> <output>".
func Shell(t *testing.T, sb sandbox.Sandbox, command string) string {
	t.Helper()
	client := http.Client{Transport: sandbox.Transport(sb)}
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

// AsChild is the variable that makes a test binary one of Main's children.
func AsChild(t *testing.T, name string) string {
	t.Helper()
	return asChild + "=" + name + " " + Spec(t).Binary
}

// asChild has the name of a child and the target's path, with a space between them.
const asChild = "REAPCHECK_TEST_CHILD"

// StartChild runs one of Main's children in a process of its own and returns it when
// its sandbox has started, which it says as "started PID". Kill it; its input is open
// until the test ends.
func StartChild(t *testing.T, program, name string, attr *syscall.SysProcAttr) (child *exec.Cmd, sandbox int) {
	t.Helper()
	child = exec.Command(program)
	child.Env = append(os.Environ(), AsChild(t, name))
	child.SysProcAttr = attr
	input, _ := child.StdinPipe()
	output, _ := child.StdoutPipe()
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = child.Process.Kill()
		_ = child.Wait()
		input.Close()
	})
	line, err := bufio.NewReader(output).ReadString('\n')
	if _, errScan := fmt.Sscanf(line, "started %d\n", &sandbox); err != nil || errScan != nil {
		t.Fatalf("child: %q, %v", line, err)
	}
	return child, sandbox
}

// RunName is the name of the run of a test process.
func RunName(pid int) string { return fmt.Sprint("test-", pid) }

// Nobody is a user who owns nothing.
const Nobody = 65534

// OfNobody is this test binary in a place where any user may execute it.
func OfNobody(t *testing.T) (program string) {
	t.Helper()
	var inside, outside int
	if text, err := os.ReadFile("/proc/self/uid_map"); err == nil {
		_, _ = fmt.Sscan(string(text), &inside, &outside)
	}
	if os.Geteuid() != 0 || outside != 0 {
		t.Skip("only root can become another user")
	}
	program = filepath.Join(folder, "ordinary")
	if err := os.Link(os.Args[0], program); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(program) })
	// What a harness that is killed leaves goes with the tests: no sweep of root's
	// touches another user's folders.
	folders := filepath.Join(folder, "tmp")
	if err := errors.Join(os.MkdirAll(folders, 0o777), os.Chmod(folders, 0o777)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", folders)
	return program
}
