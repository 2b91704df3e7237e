// Package search decides which orders to try: a tree of choices, of which each run
// adds one path, searched with a bound on how many events are out of turn.
//
// Tree is the front door, and Walk the way to take where it is too large to be searched.
// Both are pure: a run is whatever gives back the options that it met and those that it
// took.
package search

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Step is one choice of a run: what could have been next, in turn, and what was.
// Taking option i passes over i events that were there before it, which is i events
// out of turn.
type Step struct {
	Options []string
	Chosen  string
}

// Order is what a run has chosen.
func Order(run []Step) []string {
	names := make([]string, len(run))
	for i, s := range run {
		names[i] = s.Chosen
	}
	return names
}

// Cost is how many events of a run are out of turn.
func Cost(run []Step) int {
	cost := 0
	for _, s := range run {
		cost += slices.Index(s.Options, s.Chosen)
	}
	return cost
}

// NoBound admits every order.
const NoBound = math.MaxInt

// tries is how often a choice is tried that is not there when its turn comes: two
// threads may race for it in the target's own memory.
const tries = 4

// Tree is what is known of all orders. The zero Tree knows nothing.
type Tree struct {
	root   node
	orders int
}

// node is a place in the tree. It has every option that some run has met there.
type node struct {
	options []*option
	outcome string // of a run that ends here
	ended   bool
}

type option struct {
	name   string
	cost   int // the least that a run has met it with
	after  *node
	missed int
}

// ErrTwice means that one order had two outcomes: something that decides is not among
// the events.
var ErrTwice = errors.New("the same order has had two outcomes")

// Add takes one run in. new is false where the order was known.
func (t *Tree) Add(run []Step, outcome string) (new bool, err error) {
	at := &t.root
	for _, s := range run {
		at.meet(s.Options)
		next := at.find(s.Chosen)
		if next == nil {
			return false, fmt.Errorf("add run: %q was chosen among %q", s.Chosen, s.Options)
		}
		if next.after == nil {
			next.after = &node{}
		}
		at = next.after
	}
	if at.ended {
		if at.outcome != outcome {
			err = fmt.Errorf("%w: %s, then %s: %s", ErrTwice, at.outcome, outcome,
				strings.Join(Order(run), " "))
		}
		return false, err
	}
	at.ended, at.outcome = true, outcome
	t.orders++
	return true, nil
}

func (n *node) meet(options []string) {
	for cost, name := range options {
		if o := n.find(name); o == nil {
			n.options = append(n.options, &option{name: name, cost: cost})
		} else {
			o.cost = min(o.cost, cost)
		}
	}
}

func (n *node) find(name string) *option {
	for _, o := range n.options {
		if o.name == name {
			return o
		}
	}
	return nil
}

// Orders is how many different ones were run.
func (t *Tree) Orders() int { return t.orders }

// Next is the beginning of an order that was not run yet and has at most bound events
// out of turn; false where there is none left, or none that could be reached. An empty
// tree's is the empty beginning.
func (t *Tree) Next(bound int) (beginning []string, ok bool) {
	if t.orders == 0 {
		return nil, true
	}
	t.eachOpen(bound, func(path []string, o *option) bool {
		if o.missed < tries {
			beginning, ok = append(slices.Clone(path), o.name), true
		}
		return ok
	})
	return beginning, ok
}

// Missed says that a run which was to begin so went another way.
func (t *Tree) Missed(beginning []string) {
	at := &t.root
	for i, name := range beginning {
		o := at.find(name)
		if o == nil {
			return
		}
		if i == len(beginning)-1 {
			o.missed++
			return
		}
		if at = o.after; at == nil {
			return
		}
	}
}

// Left counts the choices with at most bound events out of turn that were met and not
// taken: all of them, and those among them that were not met again when their turn
// came.
func (t *Tree) Left(bound int) (open, unreached int) {
	t.eachOpen(bound, func(_ []string, o *option) bool {
		open++
		if o.missed >= tries {
			unreached++
		}
		return false
	})
	return open, unreached
}

// eachOpen visits the choices that no run has taken, deepest first, until stop.
func (t *Tree) eachOpen(bound int, stop func(path []string, o *option) bool) {
	t.root.eachOpen(nil, bound, stop)
}

func (n *node) eachOpen(path []string, bound int, stop func([]string, *option) bool) bool {
	for _, o := range n.options {
		if o.after != nil && o.cost <= bound && o.after.eachOpen(append(path, o.name), bound-o.cost, stop) {
			return true
		}
	}
	for _, o := range n.options {
		if o.after == nil && o.cost <= bound && stop(path, o) {
			return true
		}
	}
	return false
}

// Sizes are how many places the tree has at each depth, and so how much a longer order
// costs.
func (t *Tree) Sizes() []int {
	var sizes []int
	for level := []*node{&t.root}; len(level) > 0; {
		sizes = append(sizes, len(level))
		var next []*node
		for _, n := range level {
			for _, o := range n.options {
				if o.after != nil {
					next = append(next, o.after)
				}
			}
		}
		level = next
	}
	return sizes
}

// Longest is how many choices the longest order has.
func (t *Tree) Longest() int { return len(t.Sizes()) - 1 }
