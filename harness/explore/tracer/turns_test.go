package tracer

import "testing"

func TestOneThreadHasItsTurnAtATime(t *testing.T) {
	first, second := &thread{tid: 1}, &thread{tid: 2}
	var s turns
	if s.take(first, 0) || s.take(second, 0) {
		t.Fatal("before there are turns nobody waits for one")
	}
	s.taken, s.now = true, first
	if s.take(first, 0) || !s.take(second, 0) {
		t.Error("whose turn it is goes on, and the other waits")
	}
	if first.stopped = true; s.now != first {
		t.Error("a turn ends by itself")
	}
	if s.stopped(first); s.now != nil {
		t.Error("a thread that is held keeps its turn")
	}
	s.now = first
	if s.giveWay(second); s.over {
		t.Error("who has no turn gives it away")
	}
	if s.giveWay(first); !s.take(first, 0) || s.now != nil || s.line[1].thread != first {
		t.Error("who gives way comes last")
	}
	s.now, s.over, s.stops = first, false, mostInTurn
	if !s.take(first, 0) {
		t.Error("a turn does not end")
	}
	if s.leave(second); len(s.line) != 2 || s.line[0].thread != first {
		t.Error("a thread that is gone has a turn")
	}
}
