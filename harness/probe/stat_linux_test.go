package probe

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestStatOfOddName(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip(err)
	}
	odd := filepath.Join(t.TempDir(), "a) b (c")
	if err := os.Symlink(sleep, odd); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(odd, "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", child.Process.Pid))
	if err != nil || !strings.Contains(string(stat), "(a) b (c)") {
		t.Fatalf("the name is not odd: %s %v", stat, err)
	}
	got, err := StatOf(child.Process.Pid)
	self, errSelf := StatOf(os.Getpid())
	if err != nil || errSelf != nil || len(got.Start) != len(self.Start) ||
		got.Parent != os.Getpid() || got.State == 0 {
		t.Errorf("%+v, %v; this process: %+v, %v", got, err, self, errSelf)
	}
}

func TestStatThatIsCut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stat")
	for _, text := range []string{"", "7 (a) S 1", "7 (a S 1 2 3"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if s, err := ReadStat(path); err == nil ||
			!strings.Contains(err.Error(), "after the name") {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
}
