package session

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// fakeRuntime serves what the instant command would have answered; a target
// with the strategy "reaper-only" loses every third code.
type fakeRuntime struct {
	startErr error
	alive    atomic.Int32
	dialled  atomic.Int32 // connections to all sandboxes
	// wellFor is how often a target says that it is ready: 0 means for ever, -1 never.
	wellFor int32
}

func (*fakeRuntime) Name() string                             { return "fake" }
func (*fakeRuntime) Prepare(context.Context, io.Writer) error { return nil }
func (*fakeRuntime) Close(context.Context) error              { return nil }
func (*fakeRuntime) Traits() sandbox.Traits {
	return sandbox.Traits{StartsAtOnce: 2}
}
func (*fakeRuntime) Describe() map[string]string { return nil }

func (f *fakeRuntime) Start(_ context.Context, spec sandbox.Spec) (sandbox.Sandbox, error) {
	if f.startErr != nil {
		return nil, f.startErr
	}
	f.alive.Add(1)
	lossy := spec.Env["DECK_STRATEGY"] == "reaper-only"
	server := httptest.NewUnstartedServer(answerInstant(lossy, f.wellFor))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			f.dialled.Add(1)
		}
	}
	server.Start()
	return &fakeSandbox{Server: server, runtime: f, done: make(chan struct{})}, nil
}

var instant = regexp.MustCompile(`^echo (\w+); exit (\d+)$`)

func answerInstant(lossy bool, wellFor int32) http.HandlerFunc {
	var n atomic.Int64
	var asked atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			if asked.Add(1) > wellFor && wellFor != 0 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
			return
		}
		var in struct{ Command string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		parts := instant.FindStringSubmatch(in.Command)
		if parts == nil {
			<-r.Context().Done() // a command that never ends
			return
		}
		code, _ := strconv.Atoi(parts[2])
		if lossy && n.Add(1)%3 == 0 {
			code = -1
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"exitCode": code, "result": parts[1] + "\n"})
	}
}

type fakeSandbox struct {
	*httptest.Server
	runtime *fakeRuntime
	done    chan struct{}
	log     growingLog
}

func (f *fakeSandbox) Name() string                          { return "fake" }
func (f *fakeSandbox) URL() string                           { return f.Server.URL }
func (*fakeSandbox) PID() int                                { return 0 }
func (f *fakeSandbox) Log() []byte                           { return f.log.grow() }
func (f *fakeSandbox) Done() <-chan struct{}                 { return f.done }
func (*fakeSandbox) Ended() string                           { return "exit status 2" }
func (*fakeSandbox) Signal(context.Context, os.Signal) error { return nil }
func (f *fakeSandbox) Stop(context.Context) error {
	f.Server.Close()
	f.runtime.alive.Add(-1)
	return nil
}

// fakeFault hits as often as it is told.
type fakeFault struct {
	hits    int64
	decline bool
}

func (fakeFault) Name() string { return "fake" }
func (f fakeFault) Prepare(*sandbox.Spec) error {
	if f.decline {
		return errors.Join(fault.ErrDeclined, errors.New("not here"))
	}
	return nil
}
func (f fakeFault) Inject(context.Context, sandbox.Sandbox) (fault.Injection, error) {
	return f,
		nil
}
func (f fakeFault) Hits(context.Context) (int64, string, error) {
	return f.hits, "", nil
}
func (fakeFault) Undo(context.Context) error { return nil }

func experiment(f fault.Fault) Experiment {
	arm := func(name string, role trial.Role, strategy string, claim trial.Claim) Arm {
		return Arm{Name: name, Role: role, Strategy: strategy, Claim: claim, Fault: f, Trials: 50,
			InFlight: 4, Commands: load.Instant}
	}
	return Experiment{Scenario: "storm", Arms: []Arm{
		arm("baseline", trial.Baseline, "reaper-only", trial.Loses),
		arm("candidate", trial.Candidate, "registry", trial.Clean),
	}}
}

func newSession(t *testing.T, rt *fakeRuntime) *Session {
	t.Helper()
	t.Cleanup(func() {
		if n := rt.alive.Load(); n != 0 {
			t.Errorf("%d sandboxes left", n)
		}
	})
	return &Session{Runtime: rt, Folder: t.TempDir(), Seed: 7,
		Candidate: target.Reference("registry"), Progress: &Progress{}}
}

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

// growingLog has one line more each time that it is read.
type growingLog struct {
	mu   sync.Mutex
	text []byte
	n    int
}

func (g *growingLog) grow() []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n++
	g.text = fmt.Appendf(g.text, "line %d\n", g.n)
	return bytes.Clone(g.text)
}

// A target that nobody told to end must not be blamed for running on.
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

// setLimit changes a limit until the test is over.
func setLimit(t *testing.T, limit *time.Duration, value time.Duration) {
	usual := *limit
	*limit = value
	t.Cleanup(func() { *limit = usual })
}

// callAllStuck has every trial under a fault taken for one that the fault holds.
func callAllStuck(t *testing.T) { setLimit(t, &stuckAfter, 0) }

// A fault that nobody frees costs its limit each time, with a right answer after it.
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

// A dialect without a field for the folder leaves it to a shell, which runs, and
// says that there is none by an exit code. Nothing was refused, and nothing is
// wrong with that.
func TestAFolderThatTheDialectCannotSayIsTheShellsToMiss(t *testing.T) {
	for _, c := range []struct {
		field string
		want  trial.Want
	}{
		{"", trial.Want{Code: 126, AnyOutput: true}},
		{", cwd: <cwd>", trial.Want{NotRun: true}},
	} {
		d, err := dialect.Parse("folder.yaml",
			fmt.Appendf(nil,
				"port: 80\nrequest: {path: /x, body: {command: <command>%s}}\nresponse: {exitCode: /exitCode}\n", c.field))
		if err != nil {
			t.Fatal(err)
		}
		arm := runningArm{session: &Session{}, target: target.Target{Dialect: d},
			Arm: Arm{Commands: func(int, *rand.Rand) load.Command {
				return load.Command{Request: dialect.Request{Script: "true", Cwd: "/nonexistent"},
					Want: trial.Want{NotRun: true}}
			}}}
		if got := arm.command(0).Want; got != c.want {
			t.Errorf("with the body's %q: %+v", c.field, got)
		}
	}
}

// A dialect that cannot ask for a timeout must not turn into a failure.
func TestWhatADialectCannotSayIsInconclusive(t *testing.T) {
	d, err := dialect.Parse("mute.yaml",
		[]byte(
			"port: 80\nrequest: {path: /process/execute, body: {command: <command>}}\nresponse: {exitCode: /exitCode}\n"))
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(t, &fakeRuntime{})
	s.Candidate = target.Target{Binary: "/bin/other", Dialect: d}
	e := experiment(nil)
	e.Arms[1].Commands = func(i int, r *rand.Rand) load.Command {
		c := load.Instant(i, r)
		if i == 49 {
			c.Timeout = time.Second
		}
		return c
	}
	f, err := s.Run(t.Context(), e)
	if err != nil || f.Verdict != trial.Inconclusive ||
		!strings.Contains(f.Reason, "no field for a timeout") {
		t.Errorf("verdict %v (%s), error %v", f.Verdict, f.Reason, err)
	}
}
