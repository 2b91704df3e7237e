package probe

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"testing"
)

// What is remembered of a process is not told of the next one with its number.
func TestTheNamespaceOfANumberThatIsUsedAgain(t *testing.T) {
	c := cache{known: map[int]member{}}
	self := Entry{os.Getpid(), 7}
	own, err := c.of(self)
	if err != nil {
		t.Fatal(err)
	}
	c.known[self.PID] = member{self.Inode, "remembered"}
	if got, err := c.of(self); got != "remembered" || err != nil {
		t.Errorf("the same process: %q, %v", got, err)
	}
	c.known[self.PID] = member{self.Inode + 1, "another's"}
	if got, err := c.of(self); got != own || err != nil {
		t.Errorf("another process: %q, %v, want %q", got, err, own)
	}
	const nobody = 1 << 22 // the largest pid_max (proc_sys_kernel(5)), which no one has
	if got, err := c.of(Entry{PID: nobody}); err == nil {
		t.Errorf("nobody: %q", got)
	}
}

// A listing has the inodes that stat(2) tells.
func TestProcesses(t *testing.T) {
	all, err := Processes()
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{1, os.Getpid()} {
		info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
		if err != nil {
			t.Fatal(err)
		}
		want := Entry{pid, info.Sys().(*syscall.Stat_t).Ino}
		if !slices.Contains(all, want) {
			t.Errorf("%v is not in %v", want, all)
		}
	}
}

func TestChildren(t *testing.T) {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	all, err := Children(os.Getpid())
	if err != nil || !slices.Contains(all, cmd.Process.Pid) {
		t.Errorf("%v without %d, %v", all, cmd.Process.Pid, err)
	}
}

// A thread that ends gives its children to another, which may have been asked before.
func TestChildrenOfAThreadThatEnds(t *testing.T) {
	for range 300 {
		cmd, started := exec.Command("sleep", "60"), make(chan error)
		go func() {
			runtime.LockOSThread() // for ever: the thread ends with the goroutine
			started <- cmd.Start()
		}()
		if err := <-started; err != nil {
			t.Fatal(err)
		}
		all, err := Children(os.Getpid())
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if err != nil || !slices.Contains(all, cmd.Process.Pid) {
			t.Fatalf("%v without %d, %v", all, cmd.Process.Pid, err)
		}
	}
}
