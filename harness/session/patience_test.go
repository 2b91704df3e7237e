package session

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A target that never answers must cost some deadlines and not all of them.
func TestATargetThatNeverAnswersIsGivenUp(t *testing.T) {
	s := newSession(t, &fakeRuntime{})
	e := experiment(nil)
	e.Arms[1].Commands = func(int, *rand.Rand) load.Command {
		return load.Command{Request: dialect.Request{Script: "never"}}
	}
	e.Arms[1].Deadline = 10 * time.Millisecond
	f, err := s.Run(t.Context(), e)
	if err != nil || f.Verdict != trial.Fail {
		t.Errorf("verdict %v (%s), error %v", f.Verdict, f.Reason, err)
	}
	arm := f.Arm("candidate")
	if n := arm.Counts[trial.Hung]; n < 4 || n > 8 ||
		!strings.Contains(arm.End.Error, "trials that hung") || !arm.End.GivenUp {
		t.Errorf("%d of %d trials hung, %q", n, arm.Trials, arm.End.Error)
	}
}

// What hung beside a target that answers others is a finding of its own, and one that answers
// nobody stands still.
func TestATargetThatHangsIsAskedForAPlainCommand(t *testing.T) {
	setLimit(t, &plainLimit, 200*time.Millisecond)
	for _, sticks := range []bool{false, true} {
		s := newSession(t, &fakeRuntime{sticks: sticks})
		e := experiment(nil)
		e.Arms[1].Deadline = 10 * time.Millisecond
		e.Arms[1].Commands = func(int, *rand.Rand) load.Command {
			return load.Command{Request: dialect.Request{Script: "never"}}
		}
		f, err := s.Run(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		arm := f.Arm("candidate")
		if got := evidence.Of(&arm).StandsStill; got != sticks {
			t.Errorf("it stands still: %v, want %v", got, sticks)
		}
	}
}

// What a baseline waits for is its own timeout, which no machine makes longer.
func TestALimitGrowsWithTheMachinesPace(t *testing.T) {
	s := newSession(t, &fakeRuntime{})
	s.Pace.Command = 20 * usual
	arm := Arm{Wait: 8 * time.Second, Deadline: 9 * time.Second}
	for role, want := range map[trial.Role]time.Duration{
		trial.Baseline: 28 * time.Second, trial.Candidate: 180 * time.Second,
	} {
		arm.Role, arm.Claim = role, trial.Clean
		if a := (&runningArm{Arm: arm, session: s}); a.deadline() != want {
			t.Errorf("%s: %v, want %v", role, a.deadline(), want)
		}
	}
}

// setLimit changes a limit until the test is over.
func setLimit(t *testing.T, limit *time.Duration, value time.Duration) {
	usual := *limit
	*limit = value
	t.Cleanup(func() { *limit = usual })
}

// callAllStuck has every trial under a fault taken for one that the fault holds.
func callAllStuck(t *testing.T) { setLimit(t, &stuckAfter, 0) }

// A fault that no one frees costs its limit each time, with a right answer after it.
func TestAnArmThatItsFaultHoldsUpIsGivenUp(t *testing.T) {
	callAllStuck(t)
	s := newSession(t, &fakeRuntime{})
	e := experiment(fakeFault{hits: 1000})
	f, err := s.Run(t.Context(), e)
	if err != nil || f.Verdict != trial.Inconclusive {
		t.Errorf("verdict %v (%s), error %v", f.Verdict, f.Reason, err)
	}
	arm := f.Arm("candidate")
	if arm.Trials > (mostStuck+1)*e.Arms[1].InFlight || !strings.Contains(arm.End.Error, "the fault had held trials") {
		t.Errorf("%d trials, %q", arm.Trials, arm.End.Error)
	}
}

// A busy machine may take long over the last trials, as over those of an arm that
// has no more than it runs at a time.
func TestAnArmThatIsDoneWasNotGivenUp(t *testing.T) {
	callAllStuck(t)
	s := newSession(t, &fakeRuntime{})
	e := experiment(fakeFault{hits: 1000})
	e.Turns = 1
	for i := range e.Arms {
		e.Arms[i].Trials = e.Arms[i].InFlight
	}
	f, err := s.Run(t.Context(), e)
	if err != nil || f.Verdict != trial.Pass {
		t.Errorf("verdict %v (%s), error %v", f.Verdict, f.Reason, err)
	}
}

// What stands still holds all that are in flight: that is once.
func TestTrialsThatAreStuckTogetherCountOnce(t *testing.T) {
	var p patience
	began := time.Now()
	for range 8 {
		p.note(trial.OK, began, time.Minute, true, time.Second)
	}
	if n := p.stuckTimes(); n != 1 {
		t.Errorf("together: %d times", n)
	}
	p.note(trial.OK, time.Now(), time.Minute, true, time.Second)
	p.note(trial.OK, time.Now(), time.Second/2, true, time.Second) // was not stuck
	p.note(trial.OK, time.Now(), time.Minute, false, time.Second)  // nothing holds it
	if n := p.stuckTimes(); n != 2 {
		t.Errorf("and one after the other: %d times", n)
	}
}

// The first hang of a slow machine has its patience, those after it need not.
func TestOnlyTheFirstHangHasAllPatience(t *testing.T) {
	s := &Session{Pace: Pace{Command: 10 * time.Millisecond}}
	for _, c := range []struct {
		role         trial.Role
		claim        trial.Claim
		first, later time.Duration
	}{
		{trial.Candidate, trial.Clean, 10 * time.Second, time.Second},
		{trial.Baseline, trial.Loses, 10 * time.Second, 10 * time.Second},
	} {
		a := &runningArm{Arm: Arm{Role: c.role, Claim: c.claim, Deadline: time.Second}, session: s}
		first := a.deadline()
		a.patience.note(trial.Hung, time.Now(), time.Second, false, time.Second)
		if later := a.deadline(); first != c.first || later != c.later {
			t.Errorf("%s: %v, then %v", c.role, first, later)
		}
	}
}

// What is known to hang is not waited for as long as a storm may take.
func TestACandidateThatHangsOftenIsWaitedForLess(t *testing.T) {
	s := &Session{}
	storm := Arm{Role: trial.Candidate, Claim: trial.Clean, Deadline: 4 * DefaultDeadline}
	a := &runningArm{Arm: storm, session: s}
	for _, want := range []time.Duration{s.Patience(4 * DefaultDeadline), s.Patience(DefaultDeadline)} {
		if got := a.deadline(); got != want {
			t.Errorf("%v, want %v", got, want)
		}
		s.armsHung.Store(hangsOften)
	}
}
