package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// fakeRacer answers at the speed of a machine that gets slower from lap to lap,
// times its own. It sleeps through its turns.
type fakeRacer struct {
	speed   float64
	machine *float64
	fail    error
	bad     int
}

func (a *fakeRacer) turn(_ context.Context, _ int, length time.Duration) (turn, error) {
	if a.fail != nil {
		return turn{}, a.fail
	}
	time.Sleep(length)
	*a.machine *= 0.999
	t := turn{
		times:    newTimes(),
		took:     length,
		outcomes: Outcomes{trial.Lost: a.bad},
		why:      "lost: why",
	}
	n := int64(*a.machine * a.speed * length.Seconds())
	t.outcomes[trial.OK] = int(n) - a.bad
	return t, t.times.RecordValues(1000, n)
}

func fakes() ([]contestant, *fakeRacer) {
	machine := 1e6
	slow := &fakeRacer{speed: 0.5, machine: &machine}
	return []contestant{
		{none, &fakeRacer{speed: 1, machine: &machine}, everywhere},
		{registry, slow, everywhere},
		{behindLauncher, &fakeRacer{speed: 0.4, machine: &machine}, atClaimLevel},
	}, slow
}

func TestTheScheduleIsFair(t *testing.T) {
	all, _ := fakes()
	var plan []placed
	order := rand.New(rand.NewPCG(1, 0))
	for range 20 {
		plan = append(plan, schedule(all, laps, order)...)
	}
	first := map[string]int{}
	for at := 0; at < len(plan); {
		level, names := plan[at].inFlight, []string{}
		for _, c := range all {
			if c.at(level) {
				names = append(names, c.name)
			}
		}
		lap := plan[at : at+len(names)]
		first[lap[0].contestant.name]++
		for _, next := range lap {
			if i := slices.Index(names, next.contestant.name); next.inFlight != level || i < 0 {
				t.Fatalf("turn %d: %s at %d in flight does not belong here", at,
					next.contestant.name, next.inFlight)
			} else {
				names = slices.Delete(names, i, i+1)
			}
		}
		at += len(lap)
	}
	if len(first) != len(all) {
		t.Errorf("always the same begin a lap: %v", first)
	}
	if turns := 20 * (6*2 + 3); len(plan) != turns {
		t.Errorf("%d turns, want %d", len(plan), turns)
	}
}

// Rounds follow each other until the time is up, one at least, and each goes to its end.
func TestRounds(t *testing.T) {
	for length, want := range map[time.Duration]int{0: 1, 15 * time.Second: 1,
		31 * time.Second: 3, time.Minute: 4} {
		synctest.Test(t, func(t *testing.T) {
			all, _ := fakes() // 15 turns a round
			b := &Bench{
				Scale:    Scale{Length: length, Turn: time.Second},
				Progress: session.NewProgress(nil, false),
			}
			cells, err := b.compete(t.Context(), all)
			if got := len(find(cells, none, 1).perSecond); err != nil || got != want {
				t.Errorf("%v: %d rounds, want %d; %v", length, got, want, err)
			}
		})
	}
}

// The machine loses half of its speed in this run. The ratio does not.
func TestRatiosSurviveADriftingMachine(t *testing.T) { synctest.Test(t, ratiosSurviveADriftingMachine) }

func ratiosSurviveADriftingMachine(t *testing.T) {
	all, _ := fakes()
	b := &Bench{
		Scale:    Scale{Length: 45 * time.Second, Turn: 100 * time.Millisecond},
		Seed:     1,
		Progress: session.NewProgress(nil, false),
	}
	cells, err := b.compete(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	report := NewReport()
	report.addRates(cells)
	if rate := find(cells, none, claimLevel).perSecond; rate[len(rate)-1] > 0.7*rate[0] {
		t.Fatalf("the machine did not drift: %v to %v", rate[0], rate[len(rate)-1])
	}
	q, ok := report.ratio(registry, none, claimLevel)
	if !ok || q.Median < 0.499 || q.Median > 0.501 || q.Low < 0.49 || q.High > 0.51 {
		t.Errorf("ratio: %+v", q)
	}
	if q.N != 90 || len(report.Rates) != 2*4+1 {
		t.Errorf("%d pairs, %d rates", q.N, len(report.Rates))
	}
	for _, rate := range report.Rates {
		if rate.P50 != 1000 || rate.P999 != 1000 {
			t.Errorf("%s: percentiles %d, %d", rate.Contestant, rate.P50, rate.P999)
		}
	}
}

func TestBadAnswersAreCounted(t *testing.T) { synctest.Test(t, badAnswersAreCounted) }

func badAnswersAreCounted(t *testing.T) {
	all, slow := fakes()
	slow.bad = 2
	b := &Bench{
		Scale:    Scale{Length: time.Second, Turn: 10 * time.Millisecond},
		Progress: session.NewProgress(nil, false),
	}
	cells, err := b.compete(t.Context(), all)
	if err != nil {
		t.Fatal(err)
	}
	c := find(cells, registry, 1)
	if c.outcomes[trial.Lost] != 2*len(c.perSecond) || c.why != "lost: why" ||
		c.outcomes.String() != "14 lost" {
		t.Errorf("%v in %d turns, %q", c.outcomes, len(c.perSecond), c.why)
	}
}

func TestAnArmThatEndsEndsTheRun(t *testing.T) {
	all, slow := fakes()
	slow.fail = errors.New("target ended")
	b := &Bench{
		Scale:    Scale{Length: time.Second, Turn: 10 * time.Millisecond},
		Progress: session.NewProgress(nil, false),
	}
	cells, err := b.compete(t.Context(), all)
	if !errors.Is(err, slow.fail) || !strings.Contains(err.Error(), "registry with ") ||
		cells == nil {
		t.Errorf("%d cells, %v", len(cells), err)
	}
}

// ending is a daemon's sandbox that has ended, or whose engine has.
type ending struct {
	sandbox.Sandbox
	lost error
}

func (ending) Name() string          { return "bench" }
func (ending) Done() <-chan struct{} { over := make(chan struct{}); close(over); return over }
func (ending) Ended() string         { return "exit status 2" }
func (e ending) Lost() error         { return e.lost }

// The end of one that had to live is a result. That of the others is an error, and
// that of an engine says nothing of anybody.
func TestWhoDied(t *testing.T) {
	raced, lost := errors.New("target ended"), errors.New("the engine stopped reporting")
	for _, c := range []struct {
		name string
		lost error
		died int
		err  error
	}{
		{registry, nil, 1, nil},
		{"reaper-only", nil, 0, raced},
		{registry, lost, 0, lost},
	} {
		all := []contestant{{
			name:  c.name,
			racer: &daemonRacer{daemon: &daemon{Sandbox: ending{lost: c.lost}}},
		}, {name: limit}}
		if died, err := whoDied(t.Context(), all, raced); len(died) != c.died ||
			!errors.Is(err, c.err) {
			t.Errorf("%s, lost %v: died %q, error %v", c.name, c.lost, died, err)
		}
	}
}

func TestCostPerExecution(t *testing.T) {
	c := Cost{
		Client:   3 * time.Millisecond,
		Daemon:   2 * time.Millisecond,
		Commands: 5 * time.Millisecond,
	}
	got := c.plus(c).minus(c).each(10)
	if want := (Micros{Client: 300, Daemon: 200, Commands: 500, All: 1000}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if c.each(0) != (Micros{}) {
		t.Error("no executions")
	}
}
