package fault

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// limitedProcess is a sandbox of which only PID 1 is looked at.
type limitedProcess struct {
	sandbox.Sandbox
	pid int
}

func (p limitedProcess) PID() int            { return p.pid }
func (limitedProcess) Done() <-chan struct{} { return nil }

// A target that has a connection for each command cannot take one without a file. It is
// not to wait for ever, and what it answers late has met the limit.
func TestALimitOnFilesGivesWay(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "sleep", "100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	filesOf := func(pid int) uint64 {
		var now unix.Rlimit
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &now); err != nil {
			t.Fatal(err)
		}
		return now.Cur
	}
	files := func() uint64 { return filesOf(cmd.Process.Pid) }
	before, others := files(), filesOf(os.Getpid())
	injected, err := FileLimit{Burst: 1, Lasts: 500 * time.Millisecond}.Inject(t.Context(),
		limitedProcess{pid: cmd.Process.Pid})
	if err != nil {
		t.Fatal(err)
	}
	f := injected.(*starving)
	f.Before(t.Context())
	if now := files(); now >= before {
		t.Errorf("%d files may be open, as before", now)
	}
	if now := filesOf(os.Getpid()); now != others {
		t.Errorf("%d files may be open elsewhere, before it were %d", now, others)
	}
	err = await.Wait{For: "a limit that gives way", Every: time.Millisecond,
		Limit: await.Broken}.Until(t.Context(), func() (any, bool, error) {
		now := files()
		return now, now == before, nil
	})
	if err != nil {
		t.Error(err)
	}
	f.After("x")
	if hits, _, err := f.Hits(t.Context()); hits != 1 || err != nil {
		t.Errorf("%d hits, %v", hits, err)
	}
	if err := f.Undo(t.Context()); err != nil {
		t.Error(err)
	}
}
