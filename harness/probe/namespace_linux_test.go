package probe

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"testing"
)

// What is remembered of a process is not told of the next one with its number.
func TestTheNamespaceOfANumberThatIsUsedAgain(t *testing.T) {
	c := cache{known: map[int]member{}}
	own, err := c.of(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	m := c.known[os.Getpid()]
	c.known[os.Getpid()] = member{m.inode, "remembered"}
	if got, err := c.of(os.Getpid()); got != "remembered" || err != nil {
		t.Errorf("the same process: %q, %v", got, err)
	}
	c.known[os.Getpid()] = member{m.inode + 1, "another's"}
	if got, err := c.of(os.Getpid()); got != own || err != nil {
		t.Errorf("another process: %q, %v, want %q", got, err, own)
	}
	const nobody = 1 << 22 // the largest pid_max (proc_sys_kernel(5)), which no one has
	if got, err := c.of(nobody); err == nil {
		t.Errorf("nobody: %q", got)
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
