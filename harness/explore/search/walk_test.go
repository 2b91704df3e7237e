package search

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// chains are recorded trees too, of events that follow each other in each chain and do not
// depend on another's.
type chains []string

// follow takes one order, by what choose says.
func (c chains) follow(choose func(options []string) int) []Step {
	var run []Step
	for {
		var options []string
		for _, chain := range c {
			left := slices.DeleteFunc(strings.Fields(chain), func(name string) bool {
				return slices.Contains(Order(run), name)
			})
			options = append(options, left[:min(1, len(left))]...)
		}
		if len(options) == 0 {
			return run
		}
		run = append(run, Step{options, options[choose(options)]})
	}
}

// walked is how many of so many walks took each order.
func walked(c chains, walks, falls, steps int) map[string]int {
	random := rand.New(rand.NewPCG(7, 0))
	counts := map[string]int{}
	for range walks {
		counts[strings.Join(Order(c.follow(NewWalk(random, falls, steps).Next)), " ")]++
	}
	return counts
}

// close says whether a count is within five standard deviations of what it must be.
func close(got, of, one int) bool {
	mean := float64(of) / float64(one)
	return (float64(got)-mean)*(float64(got)-mean) < 25*mean
}

func TestEventsThatDoNotDependOnEachOtherComeInEachOrderAlike(t *testing.T) {
	const walks = 6000
	counts := walked(chains{"a", "b", "c"}, walks, 0, 0)
	for order, n := range counts {
		if !close(n, walks, 6) {
			t.Errorf("%s was taken %d times of %d", order, n, walks)
		}
	}
	if len(counts) != 6 {
		t.Errorf("%d of 6 orders: %v", len(counts), counts)
	}
}

// An event that another brings about comes in its chain's turn.
func TestAChainKeepsItsTurnUntilItFalls(t *testing.T) {
	const walks, steps = 5000, 5
	two := chains{"a1 a2 a3 a4", "b"}
	counts := walked(two, walks, 0, steps)
	for _, order := range []string{"a1 a2 a3 a4 b", "b a1 a2 a3 a4"} {
		if !close(counts[order], walks, 2) {
			t.Errorf("%s was taken %d times of %d", order, counts[order], walks)
		}
	}
	if len(counts) != 2 {
		t.Errorf("orders without a fall: %v", counts)
	}
	// a is in front in every second walk, and falls at one of five steps.
	counts = walked(two, walks, 1, steps)
	for _, order := range []string{"a1 b a2 a3 a4", "a1 a2 b a3 a4", "a1 a2 a3 b a4"} {
		if !close(counts[order], walks, 2*steps) {
			t.Errorf("%s was taken %d times of %d", order, counts[order], walks)
		}
	}
	if len(counts) != 5 {
		t.Errorf("orders with a fall: %v", counts)
	}
}

// Twenty events in five chains have 3e11 orders. Those in which one chain is over before
// another begins, and that one before a third, are far out of turn.
func TestWalksMeetWhatASearchDoesNotReach(t *testing.T) {
	five := chains{"a1 a2 a3 a4", "b1 b2 b3 b4", "c1 c2 c3 c4", "d1 d2 d3 d4", "e1 e2 e3 e4"}
	bad := func(run []Step) bool {
		at := func(name string) int { return slices.Index(Order(run), name) }
		return at("e4") < at("d1") && at("d4") < at("b1")
	}
	const runs = 200
	var tree Tree
	for range runs {
		beginning, ok := []string(nil), false
		for bound := 0; !ok; bound++ {
			beginning, ok = tree.Next(bound)
		}
		taken := 0
		run := five.follow(func(options []string) int {
			if taken++; taken > len(beginning) {
				return 0
			}
			return slices.Index(options, beginning[taken-1])
		})
		if _, err := tree.Add(run, ""); err != nil || bad(run) {
			t.Fatalf("the search has met it, or failed: %v", err)
		}
	}
	if n := tree.Longest(); n != 20 {
		t.Errorf("the longest order has %d events", n)
	}
	random, met := rand.New(rand.NewPCG(7, 0)), 0
	for i := range runs {
		if bad(five.follow(NewWalk(random, i%4, tree.Longest()).Next)) {
			met++
		}
	}
	// Without a fall one walk in six has these three chains in that order; each fall makes
	// it less likely.
	if met < runs/40 {
		t.Errorf("%d of %d walks met it", met, runs)
	}
	t.Logf("%d of %d walks met it", met, runs)
}

func TestASeedDecidesAWalk(t *testing.T) {
	walk := func(seed uint64) string {
		return strings.Join(Order(chains{"a1 a2 a3", "b1 b2 b3", "c1 c2 c3"}.follow(
			NewWalk(rand.New(rand.NewPCG(seed, 0)), 2, 9).Next)), " ")
	}
	others := map[string]bool{}
	for seed := range uint64(20) {
		first, second := walk(seed), walk(seed)
		if first != second {
			t.Errorf("seed %d has two walks: %s, %s", seed, first, second)
		}
		others[first] = true
	}
	if len(others) < 10 {
		t.Errorf("20 seeds have %d walks", len(others))
	}
}
