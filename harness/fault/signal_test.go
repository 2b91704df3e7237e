package fault

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// here is this process as a sandbox.
type here struct{ sandbox.Sandbox }

func (here) PID() int { return os.Getpid() }

// A target that never runs enough commands at a time cannot host the signal. That
// is its own limit, and no trouble of the harness's.
func TestSignalWithoutItsProcessesDeclines(t *testing.T) {
	defer func(usual time.Duration) { signalLimit = usual }(signalLimit)
	signalLimit = 20 * time.Millisecond
	armed, err := Signal{Signal: syscall.SIGTERM, Processes: 8, Named: "no such name"}.Arm(t.Context(), here{})
	if err != nil {
		t.Fatal(err)
	}
	armed.(Steering).Before(t.Context())
	armed.(*armedSignal).ending.Wait()
	hits, note, err := armed.Hits(t.Context())
	if hits != 0 || note != "" || !errors.Is(err, ErrDeclined) || !strings.Contains(err.Error(), "8 processes expected in the sandbox within 20ms, last saw 0") {
		t.Errorf("%d hits, note %q, error %v", hits, note, err)
	}
	if err := armed.Disarm(t.Context()); err != nil {
		t.Error(err)
	}
}
