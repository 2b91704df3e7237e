package explore

import (
	"regexp"
	"testing"

	"github.com/reapcheck/reapcheck/harness/explore/model"
	"github.com/reapcheck/reapcheck/harness/explore/search"
	"github.com/reapcheck/reapcheck/harness/target"
)

// A log that is written every 5 ms moves the clock by that much before the timer that
// an order names: how long it still had to run is no part of the comparison.
var howLong = regexp.MustCompile(`time[0-9]+`)

func timeless(order string) string { return howLong.ReplaceAllString(order, "time") }

// What is explored in the real daemons is what their models say, order by order.
func TestTheModelFindsTheSameOrders(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	for strategy, daemon := range map[string]model.Daemon{
		"none": model.None, "reaper-only": model.ReaperOnly, "documented": model.Documented,
		"registry": model.Registry,
	} {
		t.Run(strategy, func(t *testing.T) { compareWithModel(t, strategy, daemon) })
	}
}

func compareWithModel(t *testing.T, strategy string, daemon model.Daemon) {
	x := of(t, "")
	binary, err := target.Find(t.Context(), target.Ordinary, "")
	if err != nil {
		t.Fatal(err)
	}
	x.Spec.Binary, x.Spec.Args = binary, []string{"--strategy=" + strategy}
	plan := oneCommand
	plan.Times = 1
	found := map[string]string{}
	all, err := x.Explore(t.Context(), plan, Bounds{Delays: search.NoBound}, func(r Run) {
		found[timeless(r.Order())] = r.Outcome()
	})
	if err != nil || !all.Every() || all.Twice != nil {
		t.Fatalf("%s, %v, error %v", all.Tried(), all.Twice, err)
	}
	expected := map[string]string{}
	for order, outcome := range model.Orders(daemon, 1) {
		expected[timeless(order)] = outcome
	}
	for order, outcome := range expected {
		if found[order] != outcome {
			t.Errorf("%s: %q, and %q in the model", order, found[order], outcome)
		}
	}
	for order := range found {
		if expected[order] == "" {
			t.Errorf("%s is not in the model", order)
		}
	}
}
