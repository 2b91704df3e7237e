package namespace

import (
	"os/signal"
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
