package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/namespace"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func TestMain(m *testing.M) {
	if err := namespace.BecomeRoot(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// small is a bench that is over in a moment: what it measures is worth nothing,
// but all of it is there.
func small(t *testing.T) *Bench {
	t.Helper()
	daemon, err := target.Find(t.Context(), target.Ordinary, "")
	if err != nil {
		t.Fatal(err)
	}
	launcher, err := target.Find(t.Context(), target.Launcher, "")
	if err != nil {
		t.Fatal(err)
	}
	hub, err := seccomp.Open(launcher)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hub.Close(); err != nil {
			t.Error(err)
		}
	})
	rt := namespace.New("")
	t.Cleanup(func() {
		if err := rt.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := rt.Prepare(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	return &Bench{
		Scale: Scale{
			Parts:      Parts,
			Strategies: []string{none, registry},
			Length:     time.Millisecond,
			Turn:       30 * time.Millisecond,
			Sleeps:     []int{100},
			Commands:   200,
		},
		Runtime:  rt,
		Daemon:   daemon,
		Hub:      hub,
		Seed:     1,
		Progress: session.NewProgress(t.Output(), false),
	}
}

func TestASmallBench(t *testing.T) {
	report := NewReport()
	if err := small(t).Run(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	report.judge()
	raw, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	validate(t, raw)
	executed := map[string]int{} // a busy machine may begin nothing in a turn
	for _, rate := range report.Rates {
		executed[rate.Contestant] += rate.Outcomes[trial.OK]
		if rate.Outcomes.Bad() > 0 {
			t.Errorf("%s with %d in flight: %v: %s", rate.Contestant, rate.InFlight, rate.Outcomes,
				rate.Why)
		}
	}
	for _, name := range []string{none, registry, behindLauncher, noCommand, limit} {
		if executed[name] == 0 {
			t.Errorf("%s has executed nothing", name)
		}
	}
	if len(report.Rates) != 4*4+1 || report.Supervised == 0 {
		t.Errorf("%d rates, %d calls supervised", len(report.Rates), report.Supervised)
	}
	if len(report.Arrivals) != 2*len(offeredShares) {
		t.Errorf("%d rates of arrival", len(report.Arrivals))
	}
	for _, a := range report.Arrivals {
		if a.Outcomes.Bad() > 0 || a.Died != "" {
			t.Errorf("%+v", a)
		}
	}
	threads := map[string]int{}
	for _, s := range report.Sleeps {
		threads[s.Strategy] = s.During.Threads
		if s.Outcomes[trial.OK] != s.InFlight || s.Died != "" || s.During.Processes != 100 ||
			s.After.Processes != 0 {
			t.Errorf("%s: %+v", s.Strategy, s)
		}
	}
	if threads[none] < 100 || threads[registry] >= 100 {
		t.Errorf("threads: %v", threads)
	}
	// The one that reaps nothing leaves zombies, and nothing is asked of it.
	if l := report.Leaks[1]; l.Strategy != registry || l.Outcomes[trial.OK] != 200 ||
		len(l.more(l.After)) > 0 {
		t.Errorf("leaks: %+v: %v", l, l.more(l.After))
	}
	if l := report.Leaks[0]; l.Commands != 20 || l.After.Zombies == 0 {
		t.Errorf("leaks: %+v", l)
	}
}

// Ctrl-C ends what is under way and leaves no daemon behind.
func TestAnInterruptedBench(t *testing.T) {
	b := small(t)
	b.Length, b.Commands = time.Hour, 1<<30
	for _, part := range Parts {
		b.Parts = []Part{part}
		ctx, interrupt := context.WithCancelCause(t.Context())
		time.AfterFunc(300*time.Millisecond, func() { interrupt(errInterrupt) })
		if err := b.Run(ctx, NewReport()); part != Sleeps && !errors.Is(err, errInterrupt) {
			t.Errorf("%s: %v", part, err)
		}
		interrupt(nil)
	}
}

// A daemon that was not given its time to settle has left nothing behind.
func TestAnInterruptIsNoLeak(t *testing.T) {
	b := small(t)
	d, err := b.start(t.Context(), "settling", target.Reference(registry), 1, sandbox.Front{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.stop(context.Background())
	ctx, interrupt := context.WithCancelCause(t.Context())
	defer interrupt(nil)
	never := func(Figures) bool { interrupt(errInterrupt); return false }
	if _, err := d.settle(ctx, never); !errors.Is(err, errInterrupt) {
		t.Errorf("settled: %v", err)
	}
}

var errInterrupt = errors.New("interrupted by the test")
