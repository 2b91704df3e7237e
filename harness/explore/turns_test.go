package explore

import (
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/explore/event"
	"github.com/reapcheck/reapcheck/harness/explore/tracer"
)

// turns is what a plan makes of the events that are held, which are numbered from 1.
func turns(t *testing.T, plan Plan, rushed int, held string) string {
	t.Helper()
	names, err := event.ParseOrder(held)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{plan: plan, rushed: rushed}
	var all []option
	for i, n := range names {
		r.queue.held = append(r.queue.held, tracer.Held{ID: i + 1, Name: n})
		all = append(all, option{name: n, first: n.Kind == event.Ask && plan.Reuse})
	}
	var sorted []event.Name
	for _, o := range r.inTurn(all) {
		sorted = append(sorted, o.name)
	}
	return event.Order(sorted)
}

func TestEventsComeInTurnAsThePlanSays(t *testing.T) {
	rush := Plan{Rush: true, Late: late(event.Exit)}
	for name, c := range map[string]struct {
		plan       Plan
		rushed     int
		held, want string
	}{
		"the oldest first":               {Plan{}, 0, "eof take exit.2 start.2", "eof take exit.2 start.2"},
		"late kinds last, as they say":   {Plan{Late: late(event.EOF, event.Exit)}, 0, "exit eof take", "take eof exit"},
		"one more ends as a reaper acts": {rush, 0, "eof peek exit.2 exit.3", "exit.2 exit.3 eof peek"},
		"but one for each of its events": {rush, 2, "eof peek exit.2 sigchld", "sigchld eof peek exit.2"},
		"none where it is not held":      {rush, 0, "exit.2 eof", "eof exit.2"},
		"a number that is free is used":  {Plan{Reuse: true, Late: late(event.Ask)}, 0, "ask.2 eof", "ask.2 eof"},
	} {
		if got := turns(t, c.plan, c.rushed, c.held); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// The first order of a shape is the one that it is for.
func TestTheFirstOrderOfAShape(t *testing.T) {
	for name, c := range map[string]struct {
		manner string
		want   []string // in this order
	}{
		"together":   {"sound", []string{"start.2", "waited.2"}},
		"late-start": {"sound", []string{"exit", "sigchld", "start"}},
		"orphan":     {"sound", []string{"orphan"}},
		"rush":       {"races", []string{"empty", "exit.3", "empty", "exit.4"}},
		"one-goes":   {"sound", []string{"start.2", "hangup", "exit"}},
		"reuse":      {"sound", []string{"waited", "eof", "exit.2"}},
		"stop":       {"forgets", []string{"sigterm", "exit", "sigchld"}},
	} {
		t.Run(name, func(t *testing.T) {
			x := of(t, c.manner)
			run, err := x.Run(t.Context(), Shape(name, 1, 0), Follow(nil))
			if err != nil {
				t.Fatal(err)
			}
			rest := strings.Fields(run.Order())
			for _, want := range c.want {
				for len(rest) > 0 && rest[0] != want {
					rest = rest[1:]
				}
			}
			if len(rest) == 0 {
				t.Errorf("%s has not %q, one after the other", run.Order(), c.want)
			}
			if reuse := Shapes[name].Reuse; reuse && run.PIDs[0] != run.PIDs[1] {
				t.Errorf("%s: PIDs %v", run.Order(), run.PIDs)
			}
		})
	}
}

// Who is told to stop owes no answer, but none that is wrong.
func TestATargetThatIsToldToStopMayGo(t *testing.T) {
	for manner, bad := range map[string]bool{"sound": false, "forgets": true} {
		x := of(t, manner)
		for range 2 { // each has a target of its own
			run, err := x.Run(t.Context(), Shape("stop", 1, 0), Follow(nil))
			if err != nil || run.Bad() != bad || !strings.HasPrefix(run.Order(), "sigterm") {
				t.Errorf("%s: %s: %s, error %v", manner, run.Order(), run.Outcome(), err)
			}
		}
	}
}

// Whoever polls lets any number of short timers pass until something comes.
func TestATargetThatPollsIsNotWaitedForForEver(t *testing.T) {
	x := of(t, "polls")
	run, err := x.Run(t.Context(), Shape("timeout", 1, 0), Follow(nil))
	if err != nil || run.Bad() {
		t.Errorf("%s: %s %q, error %v", run.Order(), run.Outcome(), run.Whys, err)
	}
}

// A timeout that is told although no time has passed is not what was asked for.
func TestNoTimeoutComesBeforeItsTime(t *testing.T) {
	x := of(t, "times out")
	run, err := x.Run(t.Context(), Shape("in-time", 1, 1), Follow(nil))
	if err != nil || !run.Bad() {
		t.Errorf("%s: %s, error %v", run.Order(), run.Outcome(), err)
	}
}
