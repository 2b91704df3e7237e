package session

import (
	"math"

	"github.com/reapcheck/reapcheck/harness/shard"
)

// part is which trials of a whole arm a shard's arm has. The zero part is all of them.
type part struct {
	first int // index of the first
	whole int // how many all parts have
}

// Parts is into how many parts the experiment can be divided.
func (e Experiment) Parts() int {
	if e.Divides == 0 {
		return 1
	}
	parts := math.MaxInt
	for _, arm := range e.Arms {
		parts = min(parts, arm.Trials/e.Divides)
	}
	return max(1, parts)
}

// Part is the experiment with one part of each arm's trials. All parts together have
// each trial once; those of a burst stay together.
func (e Experiment) Part(p shard.Place) Experiment {
	if p.Of <= 1 {
		return e
	}
	arms := make([]Arm, len(e.Arms))
	for i, arm := range e.Arms {
		arms[i] = arm.divided(p)
	}
	e.Arms = arms
	return e
}

// divided is one part of the arm. It has as much of what must be reached as it has of the
// trials, and no less than one of it.
func (a Arm) divided(p shard.Place) Arm {
	step := 1
	if a.Bursts {
		step = a.InFlight
	}
	share := p.Share(a.Trials, step)
	if a.MinHits > 0 {
		a.MinHits = max(1, a.MinHits*int64(share.Count)/int64(a.Trials))
	}
	a.AtLeast = p.Share(a.AtLeast, 1).Count
	a.part = part{first: share.First, whole: a.Trials}
	a.Trials = share.Count
	return a
}
