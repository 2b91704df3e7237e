package explore

import (
	"slices"
	"time"

	"github.com/reapcheck/reapcheck/harness/explore/clock"
	"github.com/reapcheck/reapcheck/harness/explore/event"
	"github.com/reapcheck/reapcheck/harness/explore/tracer"
)

// queue is what could be next, in turn: what is held, the oldest first, then what the
// clients may do, then time.
type queue struct{ held []tracer.Held }

// update takes in what a rest has found. What was there before stays in front.
func (q *queue) update(now []tracer.Held) {
	there := func(h tracer.Held, list []tracer.Held) bool {
		return slices.ContainsFunc(list, func(o tracer.Held) bool { return o.ID == h.ID })
	}
	q.held = slices.DeleteFunc(q.held, func(h tracer.Held) bool { return !there(h, now) })
	for _, h := range now {
		if !there(h, q.held) {
			q.held = append(q.held, h)
		}
	}
}

// take removes one event. Those that it passes over go to the end: they have lost
// their turn once, and not to everybody from now on (delay-bounded scheduling of
// Emmi, Qadeer and Rakamaric).
func (q *queue) take(index int) tracer.Held {
	h := q.held[index]
	passed := slices.Clone(q.held[:index])
	q.held = append(slices.Clone(q.held[index+1:]), passed...)
	return h
}

// Timers shorter than shortTimer are over at once and are no choice: a log that is
// written every 5 ms would be one at each step. Those longer than longTimer are for
// when nothing else is left.
const (
	shortTimer = 10 * time.Millisecond
	longTimer  = 300 * time.Millisecond
)

// nextTimer is how long it is to the next timer that is not short, and at the end of
// them to the last; false where there is none.
func nextTimer(timers []time.Duration) (time.Duration, bool) {
	for _, t := range timers {
		if t >= shortTimer {
			return t, true
		}
	}
	if len(timers) == 0 {
		return 0, false
	}
	return timers[len(timers)-1], true
}

func timeName(by time.Duration) event.Name {
	return event.Name{Kind: event.Time, Millis: clock.Millis(by)}
}
