package session

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A fault that misses now and then is given more trials, and no more than it needs.
func TestTrialsFollowWhereTheFaultMissed(t *testing.T) {
	for misses, want := range map[int64]struct {
		verdict trial.Verdict
		trials  int
	}{
		0:  {trial.Pass, 30},
		5:  {trial.Pass, 35},
		99: {trial.Inconclusive, 60},
	} {
		s := newSession(t, &fakeRuntime{})
		e := experiment(nil)
		candidate := &e.Arms[1]
		candidate.InFlight, candidate.Trials, candidate.MinHits = 1, 30, 30
		candidate.Fault = &missing{misses: misses}
		f, err := s.Run(t.Context(), e)
		arm := f.Arm("candidate")
		if err != nil || f.Verdict != want.verdict || arm.Trials != want.trials {
			t.Errorf("%d misses: %v after %d trials (%s), %v",
				misses, f.Verdict, arm.Trials, f.Reason, err)
		}
	}
}

// What counts only if it comes again is looked for once more, and held against what there
// was in between.
func TestWhatIsToBeSeenTwice(t *testing.T) {
	failed := []trial.Check{{Name: "memory", OK: false}}
	fine := []trial.Check{{Name: "memory", OK: true}}
	for name, c := range map[string]struct {
		looks   [][]trial.Check // that each watch's looks show
		counts  bool            // at once
		verdict trial.Verdict
		trials  int
	}{
		"never":         {[][]trial.Check{fine}, false, trial.Pass, 30},
		"once":          {[][]trial.Check{failed, fine}, false, trial.Pass, 60},
		"again":         {[][]trial.Check{failed, failed}, false, trial.Fail, 60},
		"other failure": {[][]trial.Check{failed}, true, trial.Fail, 30},
	} {
		s := newSession(t, &fakeRuntime{})
		e := experiment(nil)
		candidate, watched := &e.Arms[1], 0
		candidate.Trials = 30
		candidate.SeenTwice = func([]trial.Check) bool { return !c.counts }
		candidate.Watch = func(context.Context, sandbox.Sandbox, time.Duration) (Look, error) {
			shown := c.looks[watched]
			watched++
			return func(context.Context) ([]trial.Check, error) { return shown, nil }, nil
		}
		f, err := s.Run(t.Context(), e)
		arm := f.Arm("candidate")
		if err != nil || f.Verdict != c.verdict || arm.Trials != c.trials {
			t.Errorf("%s: %v after %d trials (%s), %v", name, f.Verdict, arm.Trials, f.Reason, err)
		}
	}
}

// A target that ends once has its trials again, and one that does so each time has failed. What
// the first one did is kept.
func TestAnEndThatCountsOnlyIfItComesAgain(t *testing.T) {
	for name, c := range map[string]struct {
		ends    int // so many targets end
		twice   bool
		verdict trial.Verdict
		kept    bool
	}{
		"never":        {0, true, trial.Pass, false},
		"once":         {1, true, trial.Pass, true},
		"again":        {2, true, trial.Fail, true},
		"once, at all": {1, false, trial.Fail, false},
	} {
		s := newSession(t, &fakeRuntime{})
		e := experiment(nil)
		candidate, started := &e.Arms[1], 0
		candidate.EndTwice = c.twice
		candidate.Watch = func(_ context.Context, sb sandbox.Sandbox, _ time.Duration) (Look, error) {
			if started++; started <= c.ends {
				close(sb.(*fakeSandbox).done)
			}
			return func(context.Context) ([]trial.Check, error) { return nil, nil }, nil
		}
		f, err := s.Run(t.Context(), e)
		if err != nil || f.Verdict != c.verdict {
			t.Errorf("%s: %v (%s), %v", name, f.Verdict, f.Reason, err)
		}
		first := results.Recording(s.Folder, e.Scenario, "candidate") + ".first"
		if _, err := os.Stat(first); (err == nil) != c.kept {
			t.Errorf("%s: the first recording: %v", name, err)
		}
	}
}

// What there is of a run that was cut stays as it is.
func TestNothingIsHadAfreshOnceTheRunIsCut(t *testing.T) {
	s := newSession(t, &fakeRuntime{})
	e := experiment(nil)
	candidate := &e.Arms[1]
	candidate.Watch = func(_ context.Context, sb sandbox.Sandbox, _ time.Duration) (Look, error) {
		close(sb.(*fakeSandbox).done)
		return func(context.Context) ([]trial.Check, error) { return nil, nil }, nil
	}
	if _, err := s.Run(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	candidate.EndTwice = true
	ctx, cut := context.WithCancel(t.Context())
	cut()
	if err := s.afresh(ctx, e, func() {}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(results.Recording(s.Folder, e.Scenario, "candidate")); err != nil {
		t.Errorf("the recording: %v", err)
	}
}

// missing hits in each trial but the first ones.
type missing struct {
	fakeFault
	misses, tried int64
}

func (m *missing) Inject(context.Context, sandbox.Sandbox) (fault.Injection, error) {
	return m,
		nil
}
func (m *missing) Before(context.Context) { m.tried++ }
func (m *missing) After(string)           {}
func (m *missing) SoFar(context.Context) (int64, error) {
	return max(0, m.tried-m.misses), nil
}
func (m *missing) Hits(ctx context.Context) (int64, string, error) {
	hits, err := m.SoFar(ctx)
	return hits, "", err
}
