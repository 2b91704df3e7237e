package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// programs is the folder of the built command and of what it judges.
var programs string

// blindLauncher is the argv[0] by which the test binary is a launcher that installs
// no filter.
const blindLauncher = "launcher"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == blindLauncher {
		panic(syscall.Exec(os.Args[2], os.Args[2:], os.Environ()))
	}
	var err error
	if programs, err = os.MkdirTemp("", "reapcheck-gate-"); err != nil {
		panic(err)
	}
	// The runs mostly wait, for other processes and for holds.
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	status := m.Run()
	os.RemoveAll(programs)
	os.Exit(status)
}

// build compiles the command and the daemons once.
var build = sync.OnceValue(func() error {
	for _, args := range [][]string{
		{"-tags", "nomsgpack", "-o", programs, "./harness/cmd/...", "./daemon",
			"./fixtures/programs/foreign"},
		{"-o", filepath.Join(programs, "daemon-naive"), "./fixtures/programs/naive"},
	} {
		cmd := exec.Command("go", append([]string{"build", "-trimpath"}, args...)...)
		cmd.Dir = "../../.."
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	return nil
})

// built is the path of a built program.
func built(t *testing.T, name string) string {
	t.Helper()
	if err := build(); err != nil {
		t.Fatal("build:", err)
	}
	return filepath.Join(programs, name)
}

// outcome is what one run of the command came to.
type outcome struct {
	status int
	said   string // on stdout and stderr
	parent string // of the result folder
}

// runLimit is above what any run here takes on a quarter of a busy CPU, where three answers
// that do not come have taken eleven minutes.
const runLimit = 20 * time.Minute

// command prepares a call of the built command, on a machine that has namespaces.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	needNamespaces(t)
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, built(t, "reapcheck"), args...)
}

// shortFolder is t.TempDir for a socket, for whose path that may be too long (unix(7)).
func shortFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "reap-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

// gateCommand prepares a gate run in namespaces, which every machine has that may run
// these tests. A few trials are enough: what an unsound target loses under a hold it loses
// each time.
func gateCommand(t *testing.T, args ...string) (*exec.Cmd, string) {
	t.Helper()
	parent := t.TempDir()
	argv := append([]string{"gate", "--tier=quick", "--factor=0.1", "--runtime=namespace",
		"--results=" + parent}, args...)
	return command(t, argv...), parent
}

func gate(t *testing.T, args ...string) outcome {
	t.Helper()
	cmd, parent := gateCommand(t, args...)
	return finish(t, cmd, parent)
}

func finish(t *testing.T, cmd *exec.Cmd, parent string) outcome {
	t.Helper()
	said, err := cmd.CombinedOutput()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		t.Fatal(err)
	}
	return outcome{cmd.ProcessState.ExitCode(), string(said), parent}
}

// needNamespaces skips where this user may not have any, but not in CI.
func needNamespaces(t *testing.T) {
	t.Helper()
	cmd := exec.Command("true")
	cmd.SysProcAttr = ownNamespaces()
	if err := cmd.Run(); err != nil && os.Getenv("CI") == "true" {
		t.Fatal("no namespaces, and CI=true demands them:", err)
	} else if err != nil {
		t.Skip("no namespaces:", err)
	}
}

// ownNamespaces are a user's own, in which it is root and may mount.
func ownNamespaces() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
}

// load reads the run's folder, from which the verdict is drawn.
func (o outcome) load(t *testing.T) results.Run {
	t.Helper()
	run, err := results.Load(filepath.Join(o.parent, "latest"))
	if err != nil {
		t.Fatalf("%v\n%s", err, o.said)
	}
	return run
}

// expect compares exit status and last line.
func (o outcome) expect(t *testing.T, status int, verdict trial.Verdict) {
	t.Helper()
	if o.status != status || !strings.HasSuffix(o.said, "verdict: "+verdict.String()+"\n") {
		t.Errorf("exit status %d, want %d and verdict %v:\n%s", o.status, status, verdict, o.said)
	}
}

// expectSaid looks for words, wherever the lines break.
func (o outcome) expectSaid(t *testing.T, words string) {
	t.Helper()
	if !strings.Contains(strings.Join(strings.Fields(o.said), " "), words) {
		t.Errorf("%q is not said:\n%s", words, o.said)
	}
}
