package session

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func TestACountFollowsTheMachineDownToItsFloor(t *testing.T) {
	c := Count{Floor: 20, Quick: 100, Standard: 1000}
	for _, tt := range []struct {
		scale Scale
		want  int
	}{
		{Scale{Tier: Quick}, 100},
		{Scale{}, 1000},
		{Scale{Tier: Quick, Factor: 0.5}, 50},
		{Scale{Tier: Quick, Factor: 0.01}, 20},
		{Scale{Tier: Soak, Factor: 12}, 12000},
	} {
		if got := tt.scale.Trials(c); got != tt.want {
			t.Errorf("%+v: %d trials, want %d", tt.scale, got, tt.want)
		}
	}
}

// A plan keeps to its tier's time wherever that can be done, and uses it.
func TestTheFactorFitsThePlanIntoTheTime(t *testing.T) {
	for _, tt := range []struct {
		scale       Scale
		each        time.Duration // of 1,000 trials at factor 1
		fixed       time.Duration
		least, most float64
	}{
		{Scale{Tier: Quick}, time.Millisecond, time.Second, 1, 1},
		{Scale{Tier: Quick}, 100 * time.Millisecond, 5 * time.Second, 0.35, 0.4},
		{Scale{Tier: Standard}, 500 * time.Millisecond, 0, 0.24, 0.27},
		{Scale{Tier: Quick}, time.Second, 2 * time.Minute, 0.01, 0.01}, // which does not fit
		{Scale{Tier: Soak, Duration: 20 * time.Minute}, 10 * time.Millisecond, 0, 80, 90},
	} {
		estimate := func(s Scale) time.Duration {
			return tt.fixed + time.Duration(1000*s.Factor*float64(tt.each))
		}
		got, takes := tt.scale.Fit(estimate)
		if got.Factor < tt.least || got.Factor > tt.most || takes != estimate(got) {
			t.Errorf("%+v at %v each: factor %v, %v", tt.scale, tt.each, got.Factor, takes)
		}
	}
}

// Limits grow on a slow machine, so that none of them is a verdict; what takes too
// long on any machine has its end all the same.
func TestPatienceIsThatOfASlowMachine(t *testing.T) {
	for pace, want := range map[time.Duration]time.Duration{
		0: time.Second, 400 * time.Microsecond: time.Second, 5 * time.Millisecond: 5 * time.Second,
		time.Minute: mostPatient * time.Second,
	} {
		s := &Session{Pace: Pace{Command: pace}}
		if got := s.Patience(time.Second); got != want {
			t.Errorf("a command takes %v: %v, want %v", pace, got, want)
		}
	}
}

func TestMeasureAsksARunningSandbox(t *testing.T) {
	s := newSession(t, &fakeRuntime{})
	pace, err := s.Measure(t.Context())
	if err != nil || pace.Command <= 0 || pace.Start <= 0 {
		t.Errorf("%+v, %v", pace, err)
	}
}

// A candidate that is asked again and again takes its time and no CPU: it lags. One that works
// more than the reference daemon takes so much more of the CPUs.
func TestWhatLagsIsNoWork(t *testing.T) {
	reference := measured{latency: 8 * time.Millisecond, work: 2 * time.Millisecond}
	for name, c := range map[string]struct {
		m            measured
		command, lag time.Duration
	}{
		"polls": {measured{latency: 100 * time.Millisecond, work: 2 * time.Millisecond},
			time.Millisecond, 92 * time.Millisecond},
		"works": {measured{latency: 80 * time.Millisecond, work: 20 * time.Millisecond},
			10 * time.Millisecond, 0},
		"is not seen": {measured{latency: 80 * time.Millisecond}, 10 * time.Millisecond, 0},
	} {
		if command, lag := c.m.beside(reference); command != c.command || lag != c.lag {
			t.Errorf("%s: %v and %v, want %v and %v", name, command, lag, c.command, c.lag)
		}
	}
}

func TestEstimateAddsWorkAndStartsAndWaitsBeside(t *testing.T) {
	s := newSession(t, &fakeRuntime{})
	s.Pace = Pace{Command: time.Millisecond, Start: 100 * time.Millisecond}
	work := Experiment{Arms: []Arm{{Trials: 1000, Work: 3, Fresh: true}}}
	if got := s.Estimate([]Experiment{work}); got < 3*time.Second || got > 4*time.Second {
		t.Errorf("work: %v", got)
	}
	waits := Experiment{Arms: []Arm{{Trials: 40, InFlight: 4, Wait: time.Second},
		{Trials: 10, Wait: time.Second}}}
	if got := s.Estimate([]Experiment{waits}); got < 20*time.Second || got > 22*time.Second {
		t.Errorf("in turn: %v", got)
	}
	waits.SideBySide = true
	if got := s.Estimate([]Experiment{waits, work}); got < 10*time.Second || got > 12*time.Second {
		t.Errorf("side by side: %v", got)
	}
}

// Arms of a later round begin when those before them are over.
func TestRoundsFollowEachOther(t *testing.T) {
	rt := &fakeRuntime{}
	s := newSession(t, rt)
	e := experiment(nil)
	later := experiment(nil)
	for i := range later.Arms {
		later.Arms[i].Name += "-later"
		later.Arms[i].Round = 1
		later.Arms[i].Commands = func(index int, r *rand.Rand) load.Command {
			if alive := rt.alive.Load(); alive != 2 {
				t.Errorf("%d sandboxes at a time", alive)
			}
			return load.Instant(index, r)
		}
	}
	e.Arms = append(later.Arms, e.Arms...)
	f, err := s.Run(t.Context(), e)
	if err != nil || f.Verdict != trial.Pass || len(f.Arms) != 4 {
		t.Errorf("%v (%s), %d arms, %v", f.Verdict, f.Reason, len(f.Arms), err)
	}
}

// A code that is lost for another reason shows nothing of the fault.
func TestAClaimIsShownByATrialThatWasHit(t *testing.T) {
	for hits, want := range map[int64]trial.Verdict{0: trial.Inconclusive, 7: trial.Pass} {
		s := newSession(t, &fakeRuntime{})
		e := experiment(nil)
		baseline := &e.Arms[0]
		baseline.UntilShown, baseline.InFlight = true, 1
		baseline.Fault = &counted{fakeFault: fakeFault{hits: 50}, from: hits}
		f, err := s.Run(t.Context(), e)
		if err != nil || f.Verdict != want {
			t.Errorf("hits from trial %d: %v (%s), %v", hits, f.Verdict, f.Reason, err)
		}
		by := f.Arm("baseline").End.ShownBy
		if want == trial.Pass && (by == nil || *by != 8) || want != trial.Pass &&
			!strings.Contains(f.Reason, "must lose once") {
			t.Errorf("hits from trial %d: shown by %v (%s)", hits, by, f.Reason)
		}
	}
}

// counted hits each trial from one on, or never where that is 0. A fake daemon loses
// every third code.
type counted struct {
	fakeFault
	from, asked int64
}

func (c *counted) Inject(context.Context, sandbox.Sandbox) (fault.Injection, error) {
	return c,
		nil
}

func (c *counted) SoFar(context.Context) (int64, error) {
	c.asked++
	if c.from == 0 {
		return 0, nil
	}
	return max(0, c.asked-1-c.from), nil
}
