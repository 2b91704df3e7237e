package probe

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// files as whoever is not root counts them.
func filesAsNobody(t *testing.T, pid int) (int, error) {
	t.Helper()
	proc, err := procfs.NewProc(pid)
	if err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread() // of a thread, not of the process (setfsuid(2))
	defer runtime.UnlockOSThread()
	if os.Geteuid() == 0 {
		const nobody = 65534
		before, _ := unix.SetfsuidRetUid(nobody)
		defer unix.SetfsuidRetUid(before)
	}
	return files(proc)
}

// A process on its way to the end is no one's to look into, and has no files left.
func TestAProcessWithoutMemoryHasNoFiles(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	if err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT,
		nil); err != nil {
		t.Fatal(err)
	}
	if n, err := filesAsNobody(t, cmd.Process.Pid); n != 0 || err != nil {
		t.Errorf("ended: %d files, %v", n, err)
	}
}
