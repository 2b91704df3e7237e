package probe

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// run starts a command that ends with the test.
func run(t *testing.T, attr *syscall.SysProcAttr, name string, args ...string) int {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = attr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

// inNamespace makes a command PID 1, by a user namespace where not root.
func inNamespace() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if os.Geteuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

// lookUntil repeats a look until it is as wanted.
func lookUntil(t *testing.T, pid int, what string, wanted func(Snapshot) bool) Snapshot {
	t.Helper()
	const limit = 5 * time.Second
	for deadline := time.Now().Add(limit); ; {
		s, err := Look(pid)
		if err != nil {
			t.Fatal(err)
		}
		if wanted(s) {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s expected within %v, last saw\n%v", what, limit, s)
		}
	}
}

func find(s Snapshot, pid int) Process {
	for _, p := range s {
		if p.PID == pid {
			return p
		}
	}
	return Process{}
}

func TestOwnChildren(t *testing.T) {
	sleeps, ends := run(t, nil, "sleep", "60"), run(t, nil, "true")
	s := lookUntil(t, os.Getpid(), "a zombie",
		func(s Snapshot) bool { return find(s, ends).Zombie() })
	if p := find(s, sleeps); p.Name != "sleep" || p.Parent != os.Getpid() || p.Threads != 1 ||
		p.Files < 3 || p.RSS < 4096 || p.Zombie() {
		t.Errorf("sleep: %+v", p)
	}
	if p := find(s, ends); p.Name != "true" || p.Parent != os.Getpid() || p.Files != 0 ||
		p.RSS != 0 {
		t.Errorf("zombie: %+v", p)
	}
	if z := s.Zombies(); find(z, ends).PID != ends || find(z, sleeps).PID != 0 {
		t.Errorf("zombies: %v", z)
	}
}

func TestOpenFilesAndThreadsAreCounted(t *testing.T) {
	look := func() Process {
		s, err := Look(os.Getpid())
		if err != nil {
			t.Fatal(err)
		}
		return find(s, os.Getpid())
	}
	before := look()
	for range 10 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	if after := look(); after.Files != before.Files+10 || after.Threads < 2 {
		t.Errorf("10 files opened: %+v, before %+v", after, before)
	}
}

func TestANamespaceOfItsOwn(t *testing.T) {
	pid := run(t, inNamespace(), "sh", "-c", "sleep 60 & true & exec sleep 61")
	s := lookUntil(t, pid, "PID 1, its child and its zombie", func(s Snapshot) bool {
		return len(s) == 3 && len(s.Zombies()) == 1 && s[1].Name == "sleep" &&
			s.Target().Name == "sleep"
	})
	if p := s.Target(); p.PID != pid || p.Inner != 1 || p.Parent != os.Getpid() {
		t.Errorf("target: %+v", p)
	}
	if s[1].Parent != pid || s[1].Inner != 2 || s[2].Inner != 3 || !s[2].Zombie() {
		t.Errorf("children:\n%v", s)
	}
	if text := s.String(); strings.Count(text, "\n") != 4 || !strings.Contains(text, "HOST PID") {
		t.Errorf("table:\n%s", text)
	}
}

func TestWhatCannotBeSeen(t *testing.T) {
	if _, err := Look(0); !errors.Is(err, ErrUnseen) {
		t.Errorf("PID 0: %v", err)
	}
	if _, err := Look(1 << 30); err == nil || errors.Is(err, ErrUnseen) {
		t.Errorf("no such process: %v", err)
	}
	for what, err := range map[string]error{"permission": unread(7, &fs.PathError{
		Op:   "open",
		Path: "/proc/7/fd",
		Err:  syscall.EACCES,
	}), "none": unread(7, syscall.EIO)} {
		if errors.Is(err, ErrUnseen) != (what == "permission") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if (Snapshot{{PID: 7, Inner: 2}}).Target() != (Process{}) {
		t.Error("a namespace without its PID 1 has a target")
	}
}

// On one CPU two processes that spin keep each other off it.
func TestKeptIsTheTimeWithoutACPU(t *testing.T) {
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		t.Skip(err)
	}
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Fatal(err)
	}
	for cpu := 0; one.Count() == 0; cpu++ {
		if all.IsSet(cpu) {
			one.Set(cpu)
		}
	}
	var spinning int
	for range 2 {
		spinning = run(t, nil, "sh", "-c", "while :; do :; done")
		if err := unix.SchedSetaffinity(spinning, &one); err != nil {
			t.Fatal(err)
		}
	}
	const limit = 10 * time.Second
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		share, err := ShareOf(spinning)
		if err != nil {
			t.Fatal(err)
		}
		if share.Kept > 50*time.Millisecond {
			return
		}
		if time.Since(began) > limit {
			t.Fatalf("more than 50 ms expected within %v, last saw %v", limit, share.Kept)
		}
	}
}

// Whoever looks runs; of a process that cannot be seen nothing is known.
func TestStirs(t *testing.T) {
	if !Stirs(os.Getpid()) {
		t.Error("this test does not run")
	}
	if Stirs(0) {
		t.Error("a process on another machine does")
	}
}
