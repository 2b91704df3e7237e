package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// noted is a fault that says when it comes and goes.
type noted struct {
	fakeFault
	injected, undone *int
}

func (n noted) Inject(context.Context, sandbox.Sandbox) (fault.Injection, error) {
	*n.injected++
	return n, nil
}

func (n noted) Undo(context.Context) error {
	*n.undone++
	return nil
}

// Every fault is put into a target that is well, undone, and answered for: by
// the session, whatever the fault.
func TestHealthIsLookedAtBesideEveryFault(t *testing.T) {
	setLimit(t, &healthLimit, 50*time.Millisecond)
	for _, c := range []struct {
		name             string
		wellFor          int32
		want             trial.Verdict
		reason           string
		injected, undone int
	}{
		{"well", 2, trial.Pass, "", 1, 1},
		{"ill after the fault", 1, trial.Fail, "health after the fault", 1, 1},
		{"ill before", -1, trial.Inconclusive, "before the fault", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var injected, undone int
			s := newSession(t, &fakeRuntime{wellFor: c.wellFor})
			e := experiment(nil)
			e.Arms[1].Fault = noted{fakeFault{hits: 1}, &injected, &undone}
			f, err := s.Run(t.Context(), e)
			if (err != nil) != (c.injected == 0) || err != nil &&
				!errors.Is(err, sandbox.ErrTarget) {
				t.Errorf("error %v", err)
			}
			if said := fmt.Sprint(f.Reason, err); f.Verdict != c.want ||
				!strings.Contains(said, c.reason) {
				t.Errorf("verdict %v (%s)", f.Verdict, said)
			}
			if injected != c.injected || undone != c.undone {
				t.Errorf("injected %d times, undone %d", injected, undone)
			}
		})
	}
}

// stuck is a fault that stays.
type stuck struct {
	fakeFault
	ends bool // the target, which is why
}

func (s stuck) Inject(_ context.Context, sb sandbox.Sandbox) (fault.Injection, error) {
	if s.ends {
		close(sb.(*fakeSandbox).done)
	}
	return s, nil
}
func (stuck) Undo(context.Context) error { return errors.New("still paused") }

// A target that is still under its fault is accused of nothing. One that has ended
// cannot be freed of it, and has ended.
func TestAFaultThatCannotBeUndone(t *testing.T) {
	setLimit(t, &endLimit, 50*time.Millisecond)
	for _, c := range []struct {
		ends    bool
		want    trial.Verdict
		reason  string
		problem bool
	}{
		{false, trial.Inconclusive, "undo fault fake: still paused", true},
		{true, trial.Fail, "target exit status 2 instead of running", false},
	} {
		s := newSession(t, &fakeRuntime{wellFor: 1}) // and ill after the fault
		e := experiment(nil)
		e.Arms[1].Fault = stuck{fakeFault{hits: 1}, c.ends}
		f, err := s.Run(t.Context(), e)
		if (err != nil) != c.problem || f.Verdict != c.want ||
			!strings.Contains(f.Reason, c.reason) {
			t.Errorf("ends: %v: %v (%s), error %v", c.ends, f.Verdict, f.Reason, err)
		}
	}
}

// unhit is a fault of which the target shows only at the end that it cannot host it.
type unhit struct{ fakeFault }

func (u unhit) Inject(context.Context, sandbox.Sandbox) (fault.Injection, error) { return u, nil }
func (unhit) Hits(context.Context) (int64, string, error) {
	return 0, "", fmt.Errorf("%w: 8 processes expected", fault.ErrDeclined)
}

// excused is a fault that was harder on the target than was meant.
type excused struct{ fakeFault }

func (e excused) Inject(context.Context, sandbox.Sandbox) (fault.Injection, error) { return e, nil }
func (excused) Hits(context.Context) (int64, string, error)                        { return 1, "", nil }
func (excused) Excuse() string                                                     { return "it came late" }

// What the target's own limits keep from being seen makes an arm inconclusive and
// is no problem of the run's; a wrong answer is a wrong answer all the same.
func TestWhatCouldNotBeSeenIsNoProblemOfTheRun(t *testing.T) {
	tooLittle := func(context.Context) ([]trial.Check, error) {
		return nil, fmt.Errorf("%w: 1 look", ErrUndecided)
	}
	for _, c := range []struct {
		name     string
		strategy string
		fault    fault.Fault
		look     Look
		want     trial.Verdict
		reason   string
	}{
		{"a fault", "registry", unhit{}, nil, trial.Inconclusive, "8 processes expected"},
		{"a fault and a wrong answer", "reaper-only", unhit{}, nil, trial.Fail, "lost"},
		{"an excuse", "registry", excused{}, nil, trial.Pass, ""},
		{"an excuse and a wrong answer", "reaper-only", excused{}, nil, trial.Inconclusive, "it came late"},
		{"a look", "registry", nil, tooLittle, trial.Inconclusive, "too little was seen: 1 look"},
		{"a look and a wrong answer", "reaper-only", nil, tooLittle, trial.Fail, "lost"},
	} {
		s := newSession(t, &fakeRuntime{})
		s.Candidate = target.Reference(c.strategy)
		e := experiment(nil)
		e.Arms[1].Fault = c.fault
		if c.look != nil {
			e.Arms[1].Watch = func(context.Context, sandbox.Sandbox,
				time.Duration) (Look, error) {
				return c.look, nil
			}
		}
		f, err := s.Run(t.Context(), e)
		if err != nil || s.Problem() != nil || f.Verdict != c.want ||
			!strings.Contains(f.Reason, c.reason) {
			t.Errorf("%s: %v (%s), error %v", c.name, f.Verdict, f.Reason, err)
		}
	}
}

// noting is a fault that has let somebody go at its limit.
type noting struct{}

func (noting) Hits(context.Context) (int64, string, error) { return 2, "let one go", nil }
func (noting) Undo(context.Context) error                  { return nil }

// A baseline that has shown its claim waits for the other arms, and what its fault holds is let
// go meanwhile.
func TestALimitThatIsMetAfterTheClaimWasShownIsNotTold(t *testing.T) {
	for _, shown := range []bool{false, true} {
		a := &runningArm{session: &Session{}, injected: noting{}}
		if shown {
			a.showing.note(1)
			a.showing.settleUncounted()
		}
		err, stuck := a.withdraw(t.Context())
		if err != nil || stuck != nil || a.last.FaultHits != 2 || (a.last.FaultNote == "") != shown {
			t.Errorf("shown %v: %d hits, note %q, %v, %v", shown, a.last.FaultHits,
				a.last.FaultNote, err, stuck)
		}
	}
}
