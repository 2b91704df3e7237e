package search

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// world is a recorded tree: what can be next after each beginning. Its orders are
// counted by hand.
type world map[string]string

// take follows a beginning, and then what is first in turn.
func (w world) take(beginning []string) []Step {
	var run []Step
	for {
		options := strings.Fields(w[strings.Join(Order(run), " ")])
		if len(options) == 0 {
			return run
		}
		chosen := options[0]
		if len(run) < len(beginning) && slices.Contains(options, beginning[len(run)]) {
			chosen = beginning[len(run)]
		}
		run = append(run, Step{options, chosen})
	}
}

// searched is a tree after all runs that a bound admits, with the number of runs.
func searched(t *testing.T, w world, bound int) (*Tree, int) {
	t.Helper()
	var tree Tree
	for runs := 0; ; runs++ {
		beginning, ok := tree.Next(bound)
		if !ok {
			return &tree, runs
		}
		if runs > 1000 {
			t.Fatal("the search does not end")
		}
		run := w.take(beginning)
		if _, err := tree.Add(run, "ok"); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(Order(run)[:min(len(run), len(beginning))], beginning) {
			tree.Missed(beginning)
		}
	}
}

// three events that do not depend on each other have 3! orders. One out of turn gives
// two more than none: b before a, and c before b.
var three = world{
	"": "a b c", "a": "b c", "b": "a c", "c": "a b",
	"a b": "c", "a c": "b", "b a": "c", "b c": "a", "c a": "b", "c b": "a",
}

func TestEveryOrderUpToABoundIsRunOnce(t *testing.T) {
	for bound, want := range map[int]int{0: 1, 1: 3, 2: 5, 3: 6, NoBound: 6} {
		tree, runs := searched(t, three, bound)
		if tree.Orders() != want || runs != want {
			t.Errorf("bound %d: %d orders in %d runs, want %d", bound, tree.Orders(), runs, want)
		}
	}
	tree, _ := searched(t, three, NoBound)
	if open, _ := tree.Left(NoBound); open != 0 {
		t.Errorf("%d choices left of a tree that was searched", open)
	}
	if sizes := tree.Sizes(); !slices.Equal(sizes, []int{1, 3, 6, 6}) {
		t.Errorf("sizes %v", sizes)
	}
}

func TestWhatIsBeyondTheBoundIsCounted(t *testing.T) {
	tree, _ := searched(t, three, 0)
	if open, unreached := tree.Left(NoBound); open != 3 || unreached != 0 { // b and c at the root, c after a
		t.Errorf("%d open, %d unreached", open, unreached)
	}
}

// A choice that some run has met and that is never there again is not counted as tried.
func TestAChoiceThatDoesNotComeAgainIsSaidToBeOutOfReach(t *testing.T) {
	var tree Tree
	if _, err := tree.Add([]Step{{[]string{"a", "ghost"}, "a"}}, "ok"); err != nil {
		t.Fatal(err)
	}
	w := world{"": "a"}
	for range tries {
		beginning, ok := tree.Next(NoBound)
		if !ok || !slices.Equal(beginning, []string{"ghost"}) {
			t.Fatalf("next %v, %v", beginning, ok)
		}
		if fresh, err := tree.Add(w.take(beginning), "ok"); fresh || err != nil {
			t.Fatal(fresh, err)
		}
		tree.Missed(beginning)
	}
	if beginning, ok := tree.Next(NoBound); ok {
		t.Errorf("tried once more: %v", beginning)
	}
	if open, unreached := tree.Left(NoBound); open != 1 || unreached != 1 {
		t.Errorf("%d open, %d unreached", open, unreached)
	}
}

func TestOneOrderWithTwoOutcomesIsAnError(t *testing.T) {
	var tree Tree
	run := three.take(nil)
	if _, err := tree.Add(run, "ok"); err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Add(run, "ok"); err != nil {
		t.Errorf("the same outcome: %v", err)
	}
	if _, err := tree.Add(run, "lost"); !errors.Is(err, ErrTwice) {
		t.Errorf("another outcome: %v", err)
	}
}

func TestCostCountsWhatIsOutOfTurn(t *testing.T) {
	for order, want := range map[string]int{"a b c": 0, "b a c": 1, "c b a": 3} {
		if got := Cost(three.take(strings.Fields(order))); got != want {
			t.Errorf("%s costs %d, want %d", order, got, want)
		}
	}
}
