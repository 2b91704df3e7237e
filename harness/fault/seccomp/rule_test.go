package seccomp

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
)

// eachWait runs a test for both ways to wait for one child.
func eachWait(t *testing.T, test func(v *victim, wait func(pid, pidfd int) string)) {
	h := newHub(t)
	t.Run("pid", func(t *testing.T) {
		test(newVictim(t, h), func(pid, _ int) string { return fmt.Sprint("wait ", pid) })
	})
	t.Run("pidfd", func(t *testing.T) {
		test(newVictim(t, h), func(_, pidfd int) string { return fmt.Sprint("wait-pidfd ", pidfd) })
	})
}

func TestReaperWinsHoldsAWaitUntilItsChildIsGone(t *testing.T) {
	eachWait(t, func(v *victim, wait func(pid, pidfd int) string) {
		v.Set(Policy{Rule: ReaperWins})
		v.start("exec sleep 60")
		answer := v.order(wait(v.start("exit 7")))
		v.until("a wait", func(c Counts) bool { return c.Waits == 1 })
		v.dead(1)
		v.must("take", "7")
		v.want(answer, echild)
		v.must("take", "none")
		c, err := v.Counts()
		if c.Hits(ReaperWins) != 1 || c.ReaperFirst+c.Late != 1 || c.LimitHits != 0 || err != nil {
			v.t.Errorf("%+v, error %v", c, err)
		}
	})
}

func TestReaperWinsCountsAWaitThatIsLate(t *testing.T) {
	eachWait(t, func(v *victim, wait func(pid, pidfd int) string) {
		v.Set(Policy{Rule: ReaperWins})
		pid, pidfd := v.start("exit 7")
		v.dead(1)
		v.must("take", "7")
		v.must(wait(pid, pidfd), echild)
		if c, _ := v.Counts(); c.Hits(ReaperWins) != 1 || c.Late != 1 || c.Held != 0 {
			v.t.Errorf("%+v", c)
		}
	})
}

func TestOffHoldsNothing(t *testing.T) {
	eachWait(t, func(v *victim, wait func(pid, pidfd int) string) {
		v.Set(Policy{})
		pid, pidfd := v.start("exit 7")
		v.dead(1)
		v.must(wait(pid, pidfd), "7")
		if c, _ := v.Counts(); c.Held != 0 || c.Waits != 1 || c.ReaperFirst+c.Late != 0 {
			v.t.Errorf("%+v", c)
		}
	})
}

// The limit counts from the child's end, since a command may take its time.
func TestAHoldEndsAtItsLimit(t *testing.T) {
	eachWait(t, func(v *victim, wait func(pid, pidfd int) string) {
		const limit = 100 * time.Millisecond
		v.Set(Policy{Rule: ReaperWins, Limit: limit})
		pid, pidfd := v.start("sleep 0.3; exit 7")
		began := time.Now()
		v.must(wait(pid, pidfd), "7")
		if took := time.Since(began); took < limit+250*time.Millisecond {
			v.t.Errorf("let go after %v", took)
		}
		if c, _ := v.Counts(); c.LimitHits != 1 || c.Hits(ReaperWins) != 0 {
			v.t.Errorf("%+v", c)
		}
	})
}

func TestANewPolicyLetsGo(t *testing.T) {
	eachWait(t, func(v *victim, wait func(pid, pidfd int) string) {
		v.Set(Policy{Rule: ReaperWins})
		answer := v.order(wait(v.start("exit 7")))
		v.until("a wait", func(c Counts) bool { return c.Waits == 1 })
		v.dead(1)
		v.Set(Policy{})
		v.want(answer, "7")
	})
}

// Go's probe for pidfds waits for itself: the kernel says ECHILD at once.
func TestReaperWinsLetsAWaitForNoChildGo(t *testing.T) {
	v := newVictim(t, newHub(t))
	v.Set(Policy{Rule: ReaperWins})
	v.must("wait-self", echild)
	if c, _ := v.Counts(); c.Waits != 0 || c.Others != 1 || c.Held != 0 || c.Unseen != 0 ||
		c.Hits(ReaperWins) != 0 {
		t.Errorf("%+v", c)
	}
}

// A look is how a reaper takes one child. In a target that has no other call,
// no one could come second, and each child is a hit.
func TestReaperWinsNeverHoldsALook(t *testing.T) {
	v := newVictim(t, newHub(t))
	v.Set(Policy{Rule: ReaperWins})
	pid, _ := v.start("exec sleep 0.2")
	v.must(fmt.Sprint("look ", pid), "none")
	v.dead(1)
	v.must("peek", "0")
	v.must(fmt.Sprint("look ", pid), "0")
	c, _ := v.Counts()
	if c.Looks != 2 || c.Peeks != 0 || c.Reaped != 1 || c.Hits(ReaperWins) != 1 {
		t.Errorf("%+v", c)
	}
}

func TestReaperWinsCountsTheChildrenOfAReaperAlone(t *testing.T) {
	v := newVictim(t, newHub(t))
	v.Set(Policy{Rule: ReaperWins})
	v.start("exit 7")
	v.dead(1)
	v.must("take", "7")
	v.must("take", echild)
	if c, _ := v.Counts(); c.Takes != 2 || c.Reaped != 1 || c.Hits(ReaperWins) != 1 {
		t.Errorf("%+v", c)
	}
}

// A call that blocks takes a child that was alive when it entered, and one that
// does not may: the child can end before the kernel looks.
func TestReaperWinsCountsAChildThatEndsAfterTheCallEntered(t *testing.T) {
	v := newVictim(t, newHub(t))
	v.Set(Policy{Rule: ReaperWins})
	v.start("exec sleep 60")
	for n := range int64(3) {
		v.start("sleep 0.1; exit 7")
		v.must("take-blocking", "7")
		if c, _ := v.Counts(); c.Takes != n+1 || c.Hits(ReaperWins) != n+1 {
			t.Errorf("%+v after %d children", c, n+1)
		}
	}
}

func TestReaperWinsCountsNoChildThatIsLeft(t *testing.T) {
	v := newVictim(t, newHub(t))
	v.Set(Policy{Rule: ReaperWins})
	pid, _ := v.start("exec sleep 60")
	v.start("exit 7")
	v.dead(1)
	v.must(fmt.Sprint("look ", pid), "none")
	if c, _ := v.Counts(); c.Hits(ReaperWins) != 0 {
		t.Errorf("%+v", c)
	}
}

// With waiters about, what a reaper takes on the way is no hit.
func TestReaperWinsCountsNoTakesBesideWaits(t *testing.T) {
	v := newVictim(t, newHub(t))
	v.Set(Policy{Rule: ReaperWins})
	v.start("exec sleep 60")
	v.must("take", "none")
	pid, _ := v.start("exit 7")
	v.dead(1)
	answer := v.order(fmt.Sprint("wait ", pid))
	v.until("a wait", func(c Counts) bool { return c.Waits == 1 })
	v.must("take", "7")
	v.want(answer, echild)
	if c, _ := v.Counts(); c.Reaped != 0 || c.Hits(ReaperWins) != 1 {
		t.Errorf("%+v", c)
	}
}

func TestWaiterWinsHoldsATakeForTheWaiter(t *testing.T) {
	eachWait(t, func(v *victim, wait func(pid, pidfd int) string) {
		v.Set(Policy{Rule: WaiterWins})
		v.start("exec sleep 60")
		pid, pidfd := v.start("exit 7")
		v.dead(1)
		take := v.order("take") // the reaper comes first
		v.until("a take", func(c Counts) bool { return c.Takes == 1 })
		v.must(wait(pid, pidfd), "7")
		v.want(take, "none")
		if c, _ := v.Counts(); c.Hits(WaiterWins) != 1 || c.Spared != 1 || c.LimitHits != 0 {
			v.t.Errorf("%+v", c)
		}
	})
}

// A reaper that polls does not rest while each of its calls waits for an answer,
// as it does for a long time on a busy machine.
func TestATargetThatPollsWantsACPUWhileItsCallIsHeld(t *testing.T) {
	v := newVictim(t, newHub(t))
	v.Set(Policy{Rule: WaiterWins})
	v.start("exec sleep 60")
	pid, _ := v.start("exit 7")
	v.dead(1)
	take := v.order("take")
	v.until("a take", func(c Counts) bool { return c.Takes == 1 })
	for range 10 {
		if wants, err := probe.Wants(v.cmd.Process.Pid); !wants || err != nil {
			t.Errorf("wants a CPU: %v, error %v", wants, err)
		}
	}
	v.must(fmt.Sprint("wait ", pid), "7")
	v.want(take, "none")
}

func TestWaiterWinsRemembersWhoIsAwaited(t *testing.T) {
	eachWait(t, func(v *victim, wait func(pid, pidfd int) string) {
		v.Set(Policy{Rule: WaiterWins})
		v.order(wait(v.start("exec sleep 60")))
		v.until("a wait", func(c Counts) bool { return c.Waits == 1 })
		v.Supervisor.mu.Lock()
		defer v.Supervisor.mu.Unlock()
		if awaited := v.rule.(*waiterWins).awaited; len(awaited) != 1 {
			v.t.Errorf("one child expected, found %v", awaited)
		}
	})
}

func TestWaiterWinsLeavesOrphansToTheReaper(t *testing.T) {
	for _, take := range []string{"take", "take-blocking"} {
		t.Run(take, func(t *testing.T) {
			v := newVictim(t, newHub(t))
			v.Set(Policy{Rule: WaiterWins})
			v.start("exec sleep 60")
			v.start("sleep 0.1; exit 7")
			if take == "take" {
				v.must(take, "none")
				v.dead(1)
			}
			v.must(take, "7")
			if c, _ := v.Counts(); c.LimitHits != 0 || c.Hits(WaiterWins) != 0 {
				t.Errorf("%+v", c)
			}
		})
	}
}

func TestWaiterWinsSaysWhenThereAreNoChildren(t *testing.T) {
	v := newVictim(t, newHub(t))
	v.Set(Policy{Rule: WaiterWins})
	v.must("take", echild)
	v.must("take-blocking", echild)
	if c, _ := v.Counts(); c.Spared != 2 {
		t.Errorf("the kernel was asked, which may take a child that has come meanwhile: %+v", c)
	}
}

// A zombie that is awaited is its waiter's until the limit; one that is not is
// an orphan's once the target has rested for a while, or at the limit.
func TestWaiterWinsTellsZombiesApart(t *testing.T) {
	began := time.Now()
	r := &waiterWins{
		limit:   2 * orphanAge,
		awaited: map[int]bool{1: true, 2: true},
		died:    map[int]moment{},
	}
	r.remember([]int{1, 3}, []int{2}, began)
	for _, c := range []struct {
		after, rested         time.Duration
		owned, orphans, stuck int
	}{
		{0, 0, 2, 0, 0},
		{orphanAge + 1, orphanAge, 2, 0, 0},
		{orphanAge + 1, orphanAge + 1, 1, 1, 0},
		{2*orphanAge + 1, 0, 0, 1, 1},
	} {
		r.rested = c.rested
		owned, orphans, stuck := r.sort([]int{1, 3}, began.Add(c.after))
		if owned != c.owned || orphans != c.orphans || stuck != c.stuck {
			t.Errorf("after %v: %d owned, %d orphans, %d stuck, want %+v", c.after, owned, orphans,
				stuck, c)
		}
	}
	r.remember(nil, []int{2}, began) // 1 and 3 are gone, and so is what was known of them
	r.remember([]int{1, 2}, nil, began.Add(orphanAge))
	r.rested = orphanAge + 1
	if owned, orphans, _ := r.sort([]int{1, 2}, began.Add(2*orphanAge+1)); owned != 1 ||
		orphans != 1 {
		t.Errorf("%d owned, %d orphans after their numbers came again", owned, orphans)
	}
}

// Rest is what was looked at: neither the time in which the target wanted a CPU nor
// that in which no one looked.
func TestRestIsCountedByLooks(t *testing.T) {
	busy := exec.Command("sh", "-c", "while :; do :; done")
	quiet := exec.Command("sleep", "60")
	for _, c := range []struct {
		target *exec.Cmd
		want   time.Duration
	}{{busy, 0}, {quiet, 3*restStep + 2*restStep}} {
		if err := c.target.Start(); err != nil {
			t.Fatal(err)
		}
		pid := c.target.Process.Pid
		t.Cleanup(func() { c.target.Process.Kill(); c.target.Wait() })
		for began := time.Now(); ; time.Sleep(time.Millisecond) { // until it does what it is to do
			if runs, _ := probe.Runs(pid); runs == (c.want == 0) {
				break
			}
			if time.Since(began) > answerLimit {
				t.Fatalf("%v: no change within %v", c.target.Args, answerLimit)
			}
		}
		began := time.Now()
		r := &waiterWins{family: family{target: pid}, looked: began}
		for _, at := range []time.Duration{1, 2, 3} {
			r.rest(began.Add(at * restStep))
			r.rest(began.Add(at*restStep + 1)) // too soon
		}
		r.rest(began.Add(time.Hour))
		if r.rested != c.want {
			t.Errorf("%v rested for %v, want %v", c.target.Args, r.rested, c.want)
		}
	}
}
