package tracer

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// turns let one of the target's threads go on at a time, so that what two of them do in
// their memory, with no call between, comes in the same order in each run. A turn ends where
// its thread sleeps, is held, gives way or has stopped mostInTurn times. Who has waited for
// longest is next. A thread that naps, as the one does with which Go watches the others,
// comes when nobody else has anything to do, and its nap takes no time.
//
// There are turns from the first run on: what a target does before is nobody's order.
type turns struct {
	taken   bool
	now     *thread       // whose turn it is; nil for nobody's
	stops   int           // that it has had
	looks   int           // for its next one
	ran     time.Duration // what it had been given of a CPU after a few of them
	over    bool          // after this stop it is another's turn
	line    []waiting
	nappers []*thread
}

// waiting is a stopped thread that has no turn, and the signal that it goes on with.
type waiting struct {
	thread *thread
	signal unix.Signal
}

const (
	// mostInTurn is more than what a request costs.
	mostInTurn = 1000
	// mostRan is longer than anything that a daemon does between two calls. A thread that
	// has had a CPU for so long spins until another one has done something: they share the
	// turn, and luck decides.
	mostRan = 20 * time.Millisecond
	// fewLooks are enough for most stops to come.
	fewLooks = 20
)

// take has a thread wait for its turn; false for one that has it and goes on.
func (s *turns) take(th *thread, sig unix.Signal) bool {
	if !s.taken || th == s.now && !s.over && s.stops < mostInTurn {
		return false
	}
	s.line = append(s.line, waiting{th, sig})
	if th == s.now {
		s.now = nil
	}
	return true
}

// giveWay has the turn end with this stop.
func (s *turns) giveWay(th *thread) {
	if th == s.now {
		s.over = true
	}
}

// stopped notes a stop that was dealt with.
func (s *turns) stopped(th *thread) {
	if th != s.now {
		return
	}
	s.stops++
	s.looks = 0
	if th.stopped {
		s.now = nil
	}
}

// leave forgets a thread that is no more.
func (s *turns) leave(th *thread) {
	if th == s.now {
		s.now = nil
	}
	s.line = slices.DeleteFunc(s.line, func(w waiting) bool { return w.thread == th })
	s.nappers = slices.DeleteFunc(s.nappers, func(n *thread) bool { return n == th })
}

// wakeNappers has those that nap come in turn.
func (t *tracer) wakeNappers() {
	nappers := t.turns.nappers
	t.turns.nappers = nil
	for _, th := range nappers {
		t.fail(t.resume(th, 0))
	}
}

// takeTurns ends a turn that is over, and gives the next one. Who has just been seen
// stopped, and goes on, has had no time to fall asleep.
func (t *tracer) takeTurns(stopped bool) {
	s := &t.turns
	if s.now != nil && !stopped && t.turnOver() {
		s.now = nil
	}
	if s.now != nil || len(s.line) == 0 {
		return
	}
	next := s.line[0]
	s.line = s.line[1:]
	s.now, s.stops, s.looks, s.over = next.thread, 0, 0, false
	t.fail(trace.Resume(next.thread.tid, trace.ToCall, next.signal))
}

// turnOver says whether the thread whose turn it is sleeps, or spins. One that is about to
// be seen stopped looks asleep.
func (t *tracer) turnOver() bool {
	s := &t.turns
	s.looks++
	if s.now.inside && s.now.seat.Sleeps() {
		return !t.takeStop()
	}
	if !s.spins() {
		return false
	}
	t.wakeNappers()
	return true
}

// spins says whether the thread whose turn it is has done nothing but run for long.
func (s *turns) spins() bool {
	if s.looks == fewLooks {
		s.ran = s.now.seat.Ran()
	}
	return s.looks > fewLooks && s.now.seat.Ran() > s.ran+mostRan
}

// endTurns lets everybody go on at once.
func (t *tracer) endTurns() {
	t.wakeNappers()
	line := t.turns.line
	t.turns = turns{}
	for _, w := range line {
		t.fail(trace.Resume(w.thread.tid, trace.ToCall, w.signal))
	}
}
