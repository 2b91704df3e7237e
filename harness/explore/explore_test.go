package explore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/explore/search"
	"github.com/reapcheck/reapcheck/harness/explore/tracer"
	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/launcher"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/namespace"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// The launcher's execve must be of the thread that is seized, the process's first.
func init() { runtime.LockOSThread() }

const asVictim = "REAPCHECK_TEST_VICTIM"

func TestMain(m *testing.M) {
	switch {
	case filepath.Base(os.Args[0]) == "launcher":
		os.Exit(launcher.Main(os.Args))
	case os.Getenv(asVictim) != "":
		victim(os.Getenv(asVictim))
	default:
		os.Exit(m.Run())
	}
}

// of is an explorer of a victim, or a skipped test where there can be no sandbox.
func of(t *testing.T, manner string) *Explorer {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make a sandbox without becoming root of a user namespace first")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	hub, err := seccomp.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	rt := namespace.New("")
	if err := rt.Prepare(t.Context(), testWriter{t}); err != nil {
		t.Fatal(err)
	}
	x := &Explorer{
		Runtime: rt, Hub: hub, Target: target.Target{Binary: self, Dialect: dialect.ProcessExecute()},
		Spec: sandbox.Spec{
			Name: "victim", Binary: self, Env: map[string]string{asVictim: manner}, Port: 2280, Ready: "/healthz",
		},
	}
	t.Cleanup(func() {
		err := errors.Join(x.Close(context.Background()), rt.Close(context.Background()), hub.Close())
		if err != nil && !strings.Contains(err.Error(), "signal: killed") {
			t.Error(err)
		}
	})
	return x
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

var oneCommand = Plan{Commands: []load.Source{load.Instant}}

// Nobody but cmd.Wait waits here. 33 is what was counted for the two daemons of the
// project that do so.
func TestEveryOrderOfADaemonWithoutAReaperIsRight(t *testing.T) {
	x := of(t, "sound")
	found, err := x.Explore(t.Context(), oneCommand, Bounds{Delays: search.NoBound}, func(run Run) {
		if !run.Spares() {
			t.Errorf("%s: something but its waiter took the command, %d times", run.Order(), run.Rivals)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if found.Tree.Orders() != 33 || len(found.Bad) != 0 || !found.Every() || found.Twice != nil {
		t.Errorf("%s, %d bad, %v", found.Tried(), len(found.Bad), found.Twice)
	}
}

func TestAReaperBesideWaitersLosesInTheFirstOrder(t *testing.T) {
	x := of(t, "races")
	found, err := x.Explore(t.Context(), oneCommand, Bounds{Delays: search.NoBound, StopAt: Run.Bad}, nil)
	if err != nil || found.First != 1 || found.Bad[0].Outcome() != string(trial.Lost) {
		t.Fatalf("%s, first bad %d, error %v", found.Tried(), found.First, err)
	}
	bad := found.Bad[0]
	if bad.Spares() || bad.Rivals == 0 {
		t.Errorf("%s: the reaper is no rival", bad.Order())
	}
	for range 5 {
		run, err := x.Run(t.Context(), oneCommand, Follow(search.Order(bad.Steps)))
		if err != nil || run.Order() != bad.Order() || run.Outcome() != bad.Outcome() {
			t.Errorf("%s: %s, error %v", run.Order(), run.Outcome(), err)
		}
	}
}

// tick is how often a victim does something by itself.
const tick = time.Second

func TestRunsBeginRightAfterATick(t *testing.T) {
	x := of(t, "ticks")
	for range 3 {
		if run, err := x.Run(t.Context(), oneCommand, Follow(nil)); err != nil || run.Bad() {
			t.Fatalf("%s: %s, error %v", run.Order(), run.Outcome(), err)
		}
		if next := x.base.Timers[0]; (next - tick).Abs() > alike {
			t.Errorf("the next one is %v away", next)
		}
	}
}

func TestAnOrderIsTakenAgain(t *testing.T) {
	x := of(t, "sound")
	want := []string{"start", "wait", "exit", "eof"}
	for range 10 {
		run, err := x.Run(t.Context(), oneCommand, Follow(want))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(run.Order(), strings.Join(want, " ")) || run.Bad() {
			t.Errorf("%s: %s", run.Order(), run.Outcome())
		}
	}
}

// Two children have ended, and which of them a wait for any finds would be luck: the kernel
// begins with those that the calling thread has started.
func TestTheFirstChildThatHasEndedIsFound(t *testing.T) {
	x := of(t, "races")
	const want = "exit start exit.2 start.2 sigchld take take.2"
	for range 20 {
		run, err := x.Run(t.Context(), Shape("together", 2, 0), Follow(strings.Fields(want)))
		if err != nil || !strings.HasPrefix(run.Order(), want) {
			t.Errorf("%s, error %v", run.Order(), err)
		}
	}
}

// What a walk meets has a name, by which it is taken again. The seed decides the walks.
func TestWalksFollowASearchThatDoesNotEnd(t *testing.T) {
	x := of(t, "sound")
	var orders [2][]string
	for i := range orders {
		found, err := x.Explore(t.Context(), oneCommand, Bounds{Delays: search.NoBound, Orders: 1, Walks: 8},
			func(r Run) {
				if r.Walk != len(orders[i]) {
					t.Errorf("walk %d came as %d", r.Walk, len(orders[i]))
				}
				orders[i] = append(orders[i], r.Order())
			})
		if err != nil || found.Walks != 8 || found.Searched != 1 || found.Tree.Orders() < 3 {
			t.Errorf("%s, %d walks, %d orders, error %v", found.Tried(), found.Walks, found.Tree.Orders(), err)
		}
	}
	if !slices.Equal(orders[0], orders[1]) {
		t.Errorf("one seed has two lists of walks:\n%q\n%q", orders[0], orders[1])
	}
	for _, order := range orders[0] {
		run, err := x.Run(t.Context(), oneCommand, Follow(strings.Fields(order)))
		if err != nil || run.Order() != order {
			t.Errorf("%s was taken again as %s, error %v", order, run.Order(), err)
		}
	}
}

func TestAClientThatGoesIsNoLoss(t *testing.T) {
	x := of(t, "sound")
	plan := Plan{Commands: oneCommand.Commands, HangUp: true}
	found, err := x.Explore(t.Context(), plan, Bounds{Delays: 1}, nil)
	if err != nil || len(found.Bad) != 0 || found.Delays != 1 {
		t.Fatalf("%s, %d bad, error %v", found.Tried(), len(found.Bad), err)
	}
	run, err := x.Run(t.Context(), plan, Follow([]string{"hangup", "exit"}))
	if err != nil || !strings.HasPrefix(run.Order(), "hangup exit ") || !run.Answers[0].HungUp {
		t.Errorf("%s: %+v, error %v", run.Order(), run.Answers, err)
	}
}

func TestEachReadOfALargeOutputIsAnEvent(t *testing.T) {
	x := of(t, "sound")
	plan := Plan{Commands: []load.Source{load.Bulk}, Watch: tracer.Watch{Data: true}}
	run, err := x.Run(t.Context(), plan, Follow(nil))
	if err != nil || run.Bad() || !strings.Contains(run.Order(), "data data") {
		t.Errorf("%s: %s %q, error %v", run.Order(), run.Outcome(), run.Whys, err)
	}
}

// Two commands are told apart, and the second can have the first one's number.
func TestANumberIsUsedAgain(t *testing.T) {
	x := of(t, "sound")
	plan := Plan{Commands: []load.Source{load.Instant, load.Instant}, Reuse: true}
	order := []string{"start", "exit", "sigchld", "wait", "eof", "waited", "ask.2"}
	run, err := x.Run(t.Context(), plan, Follow(order))
	if err != nil || run.Bad() || len(run.PIDs) != 2 {
		t.Fatalf("%s: %s %q, PIDs %v, error %v", run.Order(), run.Outcome(), run.Whys, run.PIDs, err)
	}
	t.Logf("%s: PIDs %v", run.Order(), run.PIDs)
}

func TestAllOf500ThreadsAreSeenToRest(t *testing.T) {
	x := of(t, "500 threads")
	run, err := x.Run(t.Context(), oneCommand, Follow(nil))
	if err != nil || run.Bad() || run.Threads < 500 {
		t.Errorf("%d threads, %s %q, error %v", run.Threads, run.Outcome(), run.Whys, err)
	}
}

func TestATargetThatDiesIsSaidToHaveEnded(t *testing.T) {
	x := of(t, "dies")
	run, err := x.Run(t.Context(), oneCommand, Follow(nil))
	if err != nil || run.Ended != "exit status 3" || !run.Bad() {
		t.Errorf("ended %q, %s, error %v", run.Ended, run.Outcome(), err)
	}
	if x.sandbox != nil {
		t.Error("the next run would be on a dead target")
	}
}

func TestATargetThatSaysNothingIsHung(t *testing.T) {
	x := of(t, "says nothing")
	began := time.Now()
	run, err := x.Run(t.Context(), oneCommand, Follow(nil))
	if err != nil || len(run.Outcomes) != 1 || run.Outcomes[0] != trial.Hung {
		t.Errorf("%s, error %v", run.Outcome(), err)
	}
	if took := time.Since(began); took > patience {
		t.Errorf("%v of real time for what takes none", took)
	}
}

func TestATargetThatSpinsNeverRests(t *testing.T) {
	x := of(t, "spins")
	_, err := x.Run(t.Context(), oneCommand, Follow(nil))
	if !errors.Is(err, ErrRestless) || !strings.Contains(err.Error(), "runs") {
		t.Errorf("error %v", err)
	}
	if x.sandbox != nil || x.tracer != nil {
		t.Error("something is left")
	}
}

func TestATargetThatTracesIsDeclined(t *testing.T) {
	x := of(t, "traces")
	if _, err := x.Run(t.Context(), oneCommand, Follow(nil)); !errors.Is(err, ErrDeclined) {
		t.Errorf("error %v", err)
	}
}

// Its commands are nobody's that is seen: one empty order would be a pass for nothing.
func TestADaemonBehindAnotherIsDeclined(t *testing.T) {
	x := of(t, "behind another")
	run, err := x.Run(t.Context(), oneCommand, Follow(nil))
	if !errors.Is(err, errElsewhere) || !errors.Is(err, ErrDeclined) {
		t.Errorf("order %q, %s, error %v", run.Order(), run.Outcome(), err)
	}
	if x.sandbox != nil || x.tracer != nil {
		t.Error("something is left")
	}
}

func TestWithItsTracerASandboxEnds(t *testing.T) {
	x := of(t, "sound")
	if _, err := x.Run(t.Context(), oneCommand, Follow(nil)); err != nil {
		t.Fatal(err)
	}
	done := x.sandbox.Done()
	if err := unix.Kill(x.tracer.PID(), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("end of the sandbox expected within 10s of its tracer's, it still runs")
	}
	if _, err := x.Run(t.Context(), oneCommand, Follow(nil)); err == nil {
		t.Error("a run without a tracer")
	}
	if run, err := x.Run(t.Context(), oneCommand, Follow(nil)); err != nil || run.Bad() {
		t.Errorf("afresh: %s, error %v", run.Outcome(), err)
	}
}

func TestATargetThatIsTracedAlreadyIsDeclined(t *testing.T) {
	first, second := of(t, "sound"), of(t, "sound")
	if _, err := first.Run(t.Context(), oneCommand, Follow(nil)); err != nil {
		t.Fatal(err)
	}
	if err := second.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := second.tracer.Seize(first.sandbox.PID(), false)
	if err == nil || !strings.Contains(err.Error(), "traces it already") {
		t.Errorf("error %v", err)
	}
}

// Who takes a timeout from the wall clock ends a command when that is set ahead, and none when
// it is set back. A monotonic clock knows nothing of either.
func TestTheWallClockIsNoMeasureOfATimeout(t *testing.T) {
	if _, err := os.Stat("/usr/bin/python3"); err != nil && os.Getenv("CI") != "true" {
		t.Skipf("no Python here, so no target in it is tried: %v", err)
	}
	for clock, outcomes := range map[string]map[string]trial.Outcome{
		"monotonic": {"clock-ahead": trial.OK, "clock-back": trial.OK},
		"time":      {"clock-ahead": trial.Error, "clock-back": trial.Hung},
	} {
		for shape, want := range outcomes {
			t.Run(clock+" "+shape, func(t *testing.T) {
				x := of(t, "")
				x.Spec.Binary = "../../fixtures/programs/pydaemon/pydaemon.py"
				x.Spec.Args = []string{"polls", clock}
				run, err := x.Run(t.Context(), Shape(shape, 1, 2), Follow(nil))
				if err != nil || run.Outcome() != string(want) {
					t.Errorf("%s: %s, want %s; error %v", run.Order(), run.Outcome(), want, err)
				}
			})
		}
	}
}
