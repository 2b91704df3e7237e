package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func TestFindings(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  fault.Fault
		want   trial.Verdict
		reason string
	}{
		{"no fault", nil, trial.Pass, ""},
		{"a fault that hit", fakeFault{hits: 1}, trial.Pass, ""},
		{"a fault that never hit", fakeFault{}, trial.Inconclusive, "hit 0 times"},
		{"a fault that declined", fakeFault{decline: true}, trial.Inconclusive, "not here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSession(t, &fakeRuntime{})
			f, err := s.Run(t.Context(), experiment(c.fault))
			if err != nil || f.Verdict != c.want || !strings.Contains(f.Reason, c.reason) {
				t.Errorf("verdict %v (%s), error %v", f.Verdict, f.Reason, err)
			}
		})
	}
}

// Whoever may start containers may not always look into them. Nothing is proved
// then, and nothing of ours is broken.
func TestASandboxThatCannotBeSeenIsDeclined(t *testing.T) {
	see := func(_ context.Context, sb sandbox.Sandbox, _ time.Duration) (Look, error) {
		_, err := probe.Look(sb.PID()) // 0
		return nil, err
	}
	seeAfterwards := func(_ context.Context, sb sandbox.Sandbox, _ time.Duration) (Look, error) {
		return func(context.Context) ([]trial.Check, error) {
			_, err := probe.Look(sb.PID())
			return nil, err
		}, nil
	}
	for name, watch := range map[string]Watch{"before": see, "afterwards": seeAfterwards} {
		s := newSession(t, &fakeRuntime{})
		e := experiment(nil)
		e.Arms[1].Watch = watch
		f, err := s.Run(t.Context(), e)
		if err != nil || s.Problem() != nil || f.Verdict != trial.Inconclusive ||
			!strings.Contains(f.Reason, "cannot be seen from here") {
			t.Errorf("%s: verdict %v (%s), error %v", name, f.Verdict, f.Reason, err)
		}
	}
}

// The end of a target may be seen in /proc before its sandbox says so. It is the
// target's doing all the same, and no trouble of the run's.
func TestATargetThatEndsWhileItIsLookedAt(t *testing.T) {
	ending := func(_ context.Context, sb sandbox.Sandbox, _ time.Duration) (Look, error) {
		return func(context.Context) ([]trial.Check, error) {
			time.AfterFunc(50*time.Millisecond, func() { close(sb.(*fakeSandbox).done) })
			return nil, fmt.Errorf("look at process 7: %w", os.ErrNotExist)
		}, nil
	}
	s := newSession(t, &fakeRuntime{})
	e := experiment(nil)
	e.Arms[1].Watch = ending
	finding, err := s.Run(t.Context(), e)
	if err != nil || finding.Verdict != trial.Fail ||
		!strings.Contains(finding.Reason, "target exit status 2 instead of running") {
		t.Errorf("%v (%s), %v", finding.Verdict, finding.Reason, err)
	}
}

func TestACandidateThatLosesFailsAndLeavesItsLog(t *testing.T) {
	s := newSession(t, &fakeRuntime{})
	e := experiment(nil)
	s.Candidate = target.Reference("reaper-only")
	f, err := s.Run(t.Context(), e)
	if err != nil || f.Verdict != trial.Fail {
		t.Errorf("verdict %v, error %v", f.Verdict, err)
	}
	logs, _ := filepath.Glob(filepath.Join(s.Folder, "storm", "candidate-trial-*.log"))
	if len(logs) != 3 {
		t.Errorf("logs kept: %v", logs)
	}
	for _, path := range logs {
		if log, err := os.ReadFile(path); err != nil || !strings.Contains(string(log), "line 3\n") {
			t.Errorf("%s was not extended after its answer: %q, %v", path, log, err)
		}
	}
}

// A target that no one told to end must not be blamed for running on.
func TestOnlyAFaultThatHitEndsTheTarget(t *testing.T) {
	for _, c := range []struct {
		hits int64
		want trial.Verdict
	}{{0, trial.Inconclusive}, {1, trial.Fail}} {
		s := newSession(t, &fakeRuntime{})
		e := experiment(fakeFault{hits: c.hits})
		e.Arms[1].Ends = "exit status 0"
		if f, err := s.Run(t.Context(), e); err != nil || f.Verdict != c.want {
			t.Errorf("%d hits: verdict %v (%s), error %v", c.hits, f.Verdict, f.Reason, err)
		}
	}
}

func TestASessionStopsAtTheFirstBadTrialIfTold(t *testing.T) {
	s := newSession(t, &fakeRuntime{})
	s.StopAtFirstBad = true
	sound, err := s.Run(t.Context(), experiment(nil))
	if err != nil || sound.Verdict != trial.Pass {
		t.Errorf("a sound candidate: verdict %v (%s), error %v", sound.Verdict, sound.Reason, err)
	}
	e := experiment(nil)
	e.Arms[1].InFlight, e.Turns = 1, 1
	s.Candidate = target.Reference("reaper-only")
	bad, err := s.Run(t.Context(), e)
	if err != nil || bad.Verdict != trial.Fail {
		t.Errorf("verdict %v (%s), error %v", bad.Verdict, bad.Reason, err)
	}
	candidate := bad.Arm("candidate")
	if candidate.Trials != 3 || candidate.UntilBad != 3 || candidate.End.Stopped == "" {
		t.Errorf("%d trials, bad at %d, stopped %q; every third is lost", candidate.Trials,
			candidate.UntilBad, candidate.End.Stopped)
	}
	if v, why := new(bad.Arm("baseline")).Judge(); v != trial.Inconclusive ||
		!strings.Contains(why, "stopped") {
		t.Errorf("the baseline, which nobody looked at afterwards: %v (%s)", v, why)
	}
}

// Who waits for one symptom is not content with another.
func TestASessionStopsAtTheSymptomThatItIsTold(t *testing.T) {
	for symptom, want := range map[trial.Symptom]int{"": 3, "lost": 3, "hung": 50,
		trial.FailedCheck("target"): 50} {
		s := newSession(t, &fakeRuntime{})
		s.StopAtFirstBad, s.StopAs, s.Candidate = true, symptom, target.Reference("reaper-only")
		e := experiment(nil)
		e.Arms[1].InFlight, e.Turns = 1, 1
		f, err := s.Run(t.Context(), e)
		if got := f.Arm("candidate").Trials; err != nil || f.Verdict != trial.Fail || got != want {
			t.Errorf("%q: %v after %d trials, want %d, error %v", symptom, f.Verdict, got, want,
				err)
		}
	}
}

func TestAnArmThatIsOverWhenItHasShownItsClaim(t *testing.T) {
	for strategy, want := range map[string]struct {
		trials  int
		verdict trial.Verdict
	}{
		"reaper-only": {3, trial.Pass}, // which loses every third
		"registry":    {50, trial.Inconclusive},
	} {
		s := newSession(t, &fakeRuntime{})
		e := experiment(nil)
		baseline := &e.Arms[0]
		baseline.UntilShown, baseline.InFlight, baseline.Strategy = true, 1, strategy
		f, err := s.Run(t.Context(), e)
		if got := f.Arm("baseline").Trials; err != nil || f.Verdict != want.verdict ||
			got != want.trials {
			t.Errorf("%s: %v (%s) after %d trials, want %v after %d, error %v", strategy, f.Verdict,
				f.Reason, got, want.verdict, want.trials, err)
		}
	}
}

func TestATargetThatDoesNotStartIsNobodysPass(t *testing.T) {
	s := newSession(t, &fakeRuntime{startErr: sandbox.ErrTarget})
	f, err := s.Run(t.Context(), experiment(nil))
	if !errors.Is(err, sandbox.ErrTarget) || f.Verdict != trial.Inconclusive {
		t.Errorf("verdict %v, error %v", f.Verdict, err)
	}
	if s.Problem() == nil {
		t.Error("the session forgot its problem")
	}
}

func TestAnInterruptLeavesAnInconclusiveRecording(t *testing.T) {
	s := newSession(t, &fakeRuntime{})
	ctx, cancel := context.WithCancel(t.Context())
	e := experiment(nil)
	e.Arms[0].Commands = load.Source(func(i int, r *rand.Rand) load.Command {
		if i == 20 {
			cancel()
		}
		return load.Instant(i, r)
	})
	// A sandbox whose trials were cut short has not been promised anything of.
	e.Arms[1].Watch = func(context.Context, sandbox.Sandbox, time.Duration) (Look, error) {
		return func(context.Context) ([]trial.Check, error) {
			return []trial.Check{{Name: "processes", Want: "0", Got: "6"}}, nil
		}, nil
	}
	f, err := s.Run(ctx, e)
	if !errors.Is(err, context.Canceled) || f.Verdict != trial.Inconclusive {
		t.Errorf("verdict %v (%s), error %v", f.Verdict, f.Reason, err)
	}
	if err := s.Problem(); !errors.Is(err, context.Canceled) {
		t.Errorf("the session's problem is %v", err)
	}
	s.noteProblem(io.ErrShortWrite)
	if err := s.Problem(); !errors.Is(err, io.ErrShortWrite) || errors.Is(err, context.Canceled) {
		t.Errorf("beside another one the session's problem is %v", err)
	}
}

func TestAnEndFromOutsideHidesNoProblem(t *testing.T) {
	disk := errors.New("no space left")
	for _, c := range []struct {
		errs []error
		want error
		not  error
	}{
		{[]error{context.Canceled, disk}, disk, context.Canceled},
		{[]error{disk, errEnough}, disk, errEnough},
		{[]error{nil, errEnough}, errEnough, nil},
		{[]error{context.Canceled, nil}, context.Canceled, nil},
		{[]error{nil}, nil, nil},
	} {
		err := genuine(c.errs...)
		if !errors.Is(err, c.want) || c.not != nil && errors.Is(err, c.not) {
			t.Errorf("%v: %v", c.errs, err)
		}
	}
}

// /dev/full answers every write with ENOSPC.
func TestAFullDiskIsAnError(t *testing.T) {
	s := newSession(t, &fakeRuntime{})
	if err := os.MkdirAll(filepath.Join(s.Folder, "storm"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/full",
		results.Recording(s.Folder, "storm", "candidate")); err != nil {
		t.Fatal(err)
	}
	f, err := s.Run(t.Context(), experiment(nil))
	if err == nil || !strings.Contains(err.Error(), "no space left") || f.Verdict == trial.Pass {
		t.Errorf("verdict %v, error %v", f.Verdict, err)
	}
}

// While the other arms have their turns a connection idles, and a target may close
// it just when the next request comes in.
func TestEachTurnHasConnectionsOfItsOwn(t *testing.T) {
	rt := &fakeRuntime{}
	s := newSession(t, rt)
	e := experiment(nil)
	e.Turns = 5
	for i := range e.Arms {
		e.Arms[i].InFlight = 1
	}
	if f, err := s.Run(t.Context(), e); err != nil || f.Verdict != trial.Pass {
		t.Errorf("verdict %v (%s), error %v", f.Verdict, f.Reason, err)
	}
	if got, want := int(rt.dialled.Load()), 5*len(e.Arms); got != want {
		t.Errorf("%d connections in %d turns", got, want)
	}
}

// What an arm says of itself while others run beside it is not forgotten.
func TestARecordingThatCannotBeWrittenEndsTheTurns(t *testing.T) {
	for _, sideBySide := range []bool{false, true} {
		s := newSession(t, &fakeRuntime{})
		e := experiment(nil)
		e.SideBySide = sideBySide
		arms, err := s.begin(t.Context(), e, e.Arms, func() {})
		if err != nil {
			t.Fatal(err)
		}
		if err := arms[1].recorder.Close(); err != nil {
			t.Fatal(err)
		}
		if err := takeTurns(t.Context(), arms, e); err == nil ||
			!strings.Contains(err.Error(), "already closed") {
			t.Errorf("side by side %v: error %v", sideBySide, err)
		}
		if err := s.end(t.Context(), arms); err == nil {
			t.Error("the end of a recording that is not whole")
		}
	}
}

func TestRefusalToStart(t *testing.T) {
	refusing := func(err error) trial.Verdict {
		s := newSession(t, &fakeRuntime{startErr: err})
		arm := Arm{Name: "candidate", Role: trial.Candidate, Claim: trial.Clean, Refusal: "WAIT_MS"}
		_, runErr := s.Run(t.Context(), Experiment{Scenario: "x", Arms: []Arm{arm}})
		if runErr != nil {
			t.Error(runErr)
		}
		summary, err := readRecording(results.Recording(s.Folder, "x", "candidate"), arm)
		if err != nil {
			t.Error(err)
		}
		if len(summary.FailedChecks()) == 0 {
			return trial.Pass
		}
		return trial.Fail
	}
	named := errors.Join(sandbox.ErrTarget, errors.New("WAIT_MS is not a number"))
	other := errors.Join(sandbox.ErrTarget, errors.New("segmentation fault"))
	if v := refusing(named); v != trial.Pass {
		t.Errorf("a refusal that names the variable: %v", v)
	}
	if v := refusing(other); v != trial.Fail {
		t.Errorf("a crash: %v", v)
	}
	if v := refusing(nil); v != trial.Fail {
		t.Errorf("a start: %v", v)
	}
}

func TestASandboxThatCannotBeMadeRefusesNothing(t *testing.T) {
	s := newSession(t, &fakeRuntime{startErr: sandbox.ErrUnavailable})
	e := experiment(nil)
	e.Arms = append(e.Arms, Arm{Name: "refuses", Role: trial.Candidate, Claim: trial.Clean,
		Refusal: "WAIT_MS"})
	f, err := s.Run(t.Context(), e)
	if !errors.Is(err, sandbox.ErrUnavailable) || f.Verdict != trial.Inconclusive {
		t.Errorf("verdict %v (%s), error %v", f.Verdict, f.Reason, err)
	}
	if failed := f.Arm("refuses"); len(failed.Checks) > 0 {
		t.Errorf("the arm was judged: %+v", failed.Checks)
	}
}

func TestFolderAndLatest(t *testing.T) {
	parent := t.TempDir()
	seen := map[string]bool{}
	for _, id := range []string{"a", "b", "a", "a"} {
		dir, err := results.NewFolder(parent, id, time.Unix(0, 0))
		if err == nil {
			err = results.PointLatest(dir)
		}
		if err != nil {
			t.Fatal(err)
		}
		if seen[dir] {
			t.Errorf("%s was given twice", dir)
		}
		seen[dir] = true
		latest, err := filepath.EvalSymlinks(filepath.Join(parent, "latest"))
		if err != nil || filepath.Base(latest) != filepath.Base(dir) {
			t.Errorf("latest is %s, want %s (%v)", latest, dir, err)
		}
	}
}

func TestAnArmIsPromptByItsQuickestAnswer(t *testing.T) {
	for prompt, want := range map[time.Duration]trial.Verdict{time.Minute: trial.Pass,
		time.Nanosecond: trial.Fail} {
		s := newSession(t, &fakeRuntime{})
		e := experiment(nil)
		e.Arms[1].Prompt = prompt
		f, err := s.Run(t.Context(), e)
		if err != nil || f.Verdict != want {
			t.Errorf("%v: verdict %v (%s), error %v", prompt, f.Verdict, f.Reason, err)
		}
	}
}
