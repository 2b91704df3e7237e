package search

import (
	"math/rand/v2"
	"slices"
)

// Walk takes one order by chance, as probabilistic concurrency testing does (Burckhardt
// et al., 2010), for events that are seen only as they come (Ozkan et al., 2018): events
// that follow each other are a chain, each chain has a priority that is drawn, and what
// has the highest goes next. At a few steps, drawn too, the chain whose turn it is falls
// behind all that have not fallen. What is late stays so until nothing else is left. That
// is far from the first order, where a search by events out of turn comes last.
type Walk struct {
	random   *rand.Rand
	falls    []int              // the steps at which the chain in front falls behind
	chains   map[string]float64 // the priority of each option that is there now
	step     int
	released float64 // the priority of the chain that had the last turn
}

// NewWalk is a walk in which a chain falls behind so many times within the first steps:
// as many as the longest order is known to have.
func NewWalk(r *rand.Rand, falls, steps int) *Walk {
	w := &Walk{random: r, chains: map[string]float64{}}
	for range falls {
		w.falls = append(w.falls, r.IntN(max(1, steps)))
	}
	return w
}

// Next is the index of the option that goes next.
func (w *Walk) Next(options []string) int {
	w.meet(options)
	if slices.Contains(w.falls, w.step) {
		w.chains[options[w.first(options)]] = -w.random.Float64()
	}
	chosen := w.first(options)
	w.released = w.chains[options[chosen]]
	delete(w.chains, options[chosen])
	w.step++
	return chosen
}

// meet gives what is new its chain. The first of it follows what went last, since that is
// what brought it about; the others begin chains of their own.
func (w *Walk) meet(options []string) {
	for name := range w.chains {
		if !slices.Contains(options, name) {
			delete(w.chains, name) // such as a timer that is as long no more
		}
	}
	follows := w.step > 0
	for _, name := range options {
		if _, known := w.chains[name]; known {
			continue
		}
		w.chains[name] = w.random.Float64()
		if follows {
			w.chains[name], follows = w.released, false
		}
	}
}

// first is the index of the option with the highest priority.
func (w *Walk) first(options []string) int {
	best := 0
	for i, name := range options {
		if w.chains[name] > w.chains[options[best]] {
			best = i
		}
	}
	return best
}
