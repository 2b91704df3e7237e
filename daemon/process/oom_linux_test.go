package process

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestCommandsDieBeforeTheDaemonWhenMemoryRunsOut(t *testing.T) {
	raw, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		t.Fatal(err)
	}
	own, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	want := strconv.Itoa(min(max(own, 0)+oomDistance, mostOOM))
	x := newExecutor(t, "registry", Options{})
	// The score is written when the command has begun already.
	got := mustRun(t, x, "for i in 1 2 3 4 5 6 7 8 9 10; do read s </proc/$$/oom_score_adj; [ $s = "+want+" ] && break; sleep 0.5; done; echo $s")
	if string(got.Output) != want+"\n" {
		t.Errorf("a command's score is adjusted by %q, the daemon's by %d, want %s", got.Output, own, want)
	}
}

// Whoever is given the number of a child that has gone is left alone.
func TestPID1OOMScoreOfTheNextOwnerIsItsOwn(t *testing.T) {
	needPID1(t)
	r := handDriven()
	e := startEntry(t, r, "exit 0")
	awaitZombie(t, e.pid)
	r.reapZombies()
	next := startRawAs(t, e.pid, "exec sleep 60").Process.Pid
	before, _ := os.ReadFile("/proc/" + strconv.Itoa(next) + "/oom_score_adj")
	offerToOOM(e)
	if after, err := os.ReadFile("/proc/" + strconv.Itoa(next) + "/oom_score_adj"); err != nil || string(after) != string(before) {
		t.Errorf("the next owner's score is adjusted by %q, %v, before by %q", after, err, before)
	}
}
