package seccomp

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Children are found by both lists, whichever thread started them.
func TestBothListsFindTheChildren(t *testing.T) {
	f, err := newFamily(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	var want []int
	for range 5 {
		cmd := exec.Command("sleep", "60")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cmd.Process.Kill()
			cmd.Wait()
		})
		want = append(want, cmd.Process.Pid)
	}
	slices.Sort(want)
	for name, list := range map[string]func() ([]int, error){"children": f.children, "allChildren": f.allChildren} {
		got, err := list()
		slices.Sort(got)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v, error %v", name, got, want, err)
		}
	}
	if _, err := f.ofInner(f.inner(want[3])); err != nil {
		t.Error(err)
	}
	if _, err := f.ofInner(1 << 22); err != errGone {
		t.Errorf("a number that nobody has: %v", err)
	}
}

// An engine's containers are other users' to a member of the group docker. The
// machine's first process stands for one of them.
func TestAPidfdOfAnotherUsersTarget(t *testing.T) {
	answer := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		answer <- asNobody(func() error {
			_, err := family{target: 1}.ofPidfd(0)
			return err
		})
	}()
	if err := <-answer; err == nil || !strings.Contains(err.Error(), "fallback wait path") {
		t.Errorf("got %v", err)
	}
}

// asNobody takes away what lets root look into other users' processes, from
// the calling thread.
func asNobody(do func() error) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return err
	}
	return do()
}
