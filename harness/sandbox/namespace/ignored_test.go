package namespace

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/reapcheck/reapcheck/harness/sandbox/sandboxtest"
)

// Under nohup, and in the background of a script, a run took its own ignored signals for
// the daemon's.
func TestATargetIgnoresNothingOfOurs(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT} {
		signal.Ignore(s)
		defer signal.Reset(s)
	}
	sb := sandboxtest.Start(t, namespaceRuntime(t), sandboxtest.Spec(t))
	got := sandboxtest.Shell(t, sb,
		"{ sh -c 'kill -HUP $$'; echo $?; sh -c 'kill -INT $$'; echo $?; } 2>/dev/null")
	if !strings.HasPrefix(got, "0 129\n130") {
		t.Errorf("a command that SIGHUP or SIGINT is to end: %q, want 129 and 130", got)
	}
}

// perf record has its commands block SIGWINCH, and each command of the target did.
func TestATargetBlocksNothingOfOurs(t *testing.T) {
	namespaceRuntime(t)
	program := filepath.Join(t.TempDir(), "blocking")
	script := "#!/bin/sh\nexec env --block-signal=WINCH --block-signal=USR1 " + os.Args[0] + "\n"
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	_, target := sandboxtest.StartChild(t, program, "orphan", nil)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", target))
	if err != nil || !strings.Contains(string(status), "SigBlk:\t0000000000000000\n") {
		t.Errorf("%v: want nothing blocked in:\n%s", err, status)
	}
}
