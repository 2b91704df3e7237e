package session

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
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
	if arm.Trials > 8 || !strings.Contains(arm.End.Error, "trials that the fault held") {
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
