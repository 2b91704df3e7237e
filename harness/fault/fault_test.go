package fault

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// dying is a target that its runtime has not said the end of yet.
type dying struct {
	sandbox.Sandbox
	pid  int
	done chan struct{}
}

func (d dying) PID() int              { return d.pid }
func (d dying) Done() <-chan struct{} { return d.done }

// diesSoon makes a target that lives after an error one that goes on, in this test.
func diesSoon(t *testing.T) {
	t.Cleanup(func() { dyingLimit = 5 * time.Second })
	dyingLimit = 10 * time.Millisecond
}

// An engine on a busy machine says late that a target has ended, and /proc says it at once.
func TestATargetThatIsDeadIsWaitedFor(t *testing.T) {
	diesSoon(t)
	if over(t.Context(), dying{pid: os.Getpid()}) {
		t.Error("a target that lives is over")
	}
	child := exec.Command("true")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	sb := dying{pid: child.Process.Pid, done: make(chan struct{})}
	if err := unix.Waitid(unix.P_PID, sb.pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(10*dyingLimit, func() { close(sb.done) })
	if !over(t.Context(), sb) {
		t.Error("a target that is dead is not over, since its runtime has not said so yet")
	}
	if err := child.Wait(); err != nil {
		t.Fatal(err)
	}
}
