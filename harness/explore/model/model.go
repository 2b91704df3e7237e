// Package model is the check of the explorer: a small model of fork, exit, signal, wait
// and read, and of daemons that live by them, which enumerates its own orders. What the
// explorer finds in the real daemon must be the same orders with the same outcomes.
//
// Orders is the front door. The package is pure and knows nothing of tracing.
package model

import "maps"

// Daemon is how one kind of daemon behaves between its system calls.
type Daemon struct {
	// Reaps says that SIGCHLD makes a reaper take every child.
	Reaps bool
	// Waits says that the handler waits for its own child. Otherwise it is told by the
	// reaper.
	Waits bool
	// Remembers is the documented fix: what the reaper takes of a child that is known is
	// kept, and who finds no child looks there, for as long as one timer.
	Remembers bool
	// InTurn is a handler that reads all output before it waits; else it does both at
	// once, and gives up reading a timer after the status.
	InTurn bool
	// Locks keeps the reaper from a child until its start is known.
	Locks bool
	// Looks is a reaper that looks at who has ended, under the lock that a registration
	// takes, and then takes what is registered. Who is not may be a start under way: the
	// reaper looks again when that is registered, or a timer later.
	Looks bool
}

// The daemons of the project that have a model.
var (
	None       = Daemon{Waits: true}
	ReaperOnly = Daemon{Reaps: true, Waits: true}
	Documented = Daemon{Reaps: true, Waits: true, Remembers: true}
	CRaces     = Daemon{Reaps: true, Waits: true, InTurn: true, Locks: true}
	Registry   = Daemon{Reaps: true, Looks: true}
	CSound     = Daemon{Reaps: true, InTurn: true, Locks: true}
)

// What a wait for one child has come to.
const (
	nothing = iota
	status
	noChild
)

// state is one daemon with one command. An event is held from when it can be until it
// is let go.
type state struct {
	exit, start, signal, take, wait, waited, eof bool // let go
	taken, published                             bool
	woken, looking, suspects, manages            bool // the reaper
	registered                                   bool // the start, with the reaper
	found                                        int
	gaveUp                                       bool // the look for what was kept
	late                                         bool // the output was not waited for any longer
	drained                                      bool // and was read once more, for what was there
	times                                        int  // that time may still pass
}

func (s state) zombie() bool { return s.exit && !s.taken && s.found != status }

// held are the events that can be next.
func (d Daemon) held(s state) []string {
	var all []string
	add := func(name string, is bool) {
		if is {
			all = append(all, name)
		}
	}
	waits := s.manages || d.Waits && s.start && (!d.InTurn || s.eof)
	add("exit", !s.exit)
	add("sigchld", s.exit && !s.signal)
	add("start", !s.start)
	add("peek", s.looking)
	add("take", s.taken && !s.take)
	add("wait", waits && !s.wait)
	add("waited", s.found == status && !s.waited)
	add("waited!", s.found == noChild && !s.waited)
	// Until it knows of the start the daemon has the pipe's other end open itself.
	add("eof", s.exit && s.registered && !s.eof)
	add("eof", s.eof && s.late && !s.drained)
	timer := d.timer(s)
	add(timer, timer != "" && (s.times > 0 || len(all) == 0))
	return all
}

// known says whether the handler has learned what there is to learn of the status.
func (d Daemon) known(s state) bool {
	switch {
	case d.Looks:
		return s.waited
	case !d.Waits:
		return s.take
	case !d.Remembers || s.found == status:
		return s.waited
	}
	return s.waited && (s.published || s.gaveUp)
}

// timer is the one that runs; empty for none.
func (d Daemon) timer(s state) string {
	switch {
	case s.suspects && !s.looking:
		return "time20"
	case d.Remembers && s.waited && !d.known(s):
		return "time200"
	case !d.InTurn && d.known(s) && !s.eof:
		return "time250"
	}
	return ""
}

// after is the state once an event was let go and everybody is asleep again.
func (d Daemon) after(s state, event string) state {
	switch event {
	case "exit":
		s.exit = true
	case "sigchld":
		s.signal, s.woken = true, true
	case "start":
		s.start = true
	case "take":
		s.take, s.published = true, s.start // only then it was registered
	case "peek":
		s.looking, s.manages, s.suspects = false, s.registered, !s.registered
	case "time20":
		s.woken = true
		s.times--
	case "wait":
		s.wait = true
	case "waited", "waited!":
		s.waited = true
	case "eof":
		s.drained = s.eof
		s.eof = true
	case "time200":
		s.gaveUp = true
		s.times--
	case "time250":
		s.late = true
		s.times--
	}
	if s.start && !s.looking && !s.registered {
		s.registered = true
		s.woken = s.woken || s.suspects
		s.suspects = false
	}
	if d.Looks && s.woken && !s.looking && !s.manages {
		s.woken, s.looking = false, s.zombie()
	}
	if s.wait && s.found == nothing { // the waiter sleeps in the kernel, and is the first to know
		switch {
		case s.zombie():
			s.found = status
		case s.taken:
			s.found = noChild
		}
	}
	if d.Reaps && !d.Looks && s.signal && s.zombie() && (!d.Locks || s.start) {
		s.taken = true
	}
	return s
}

// answered says whether the client has its answer, and whether that was lost.
func (d Daemon) answered(s state) (over, lost bool) {
	over = d.known(s) && s.eof && (s.drained || !s.late)
	return over, s.found == noChild && !(d.Remembers && s.published && !s.gaveUp)
}

// Orders are all orders of one command, with time passing as a choice at most so often,
// and for each of them "ok" or "lost".
func Orders(d Daemon, times int) map[string]string { return d.from(state{times: times}, "") }

func (d Daemon) from(s state, order string) map[string]string {
	if over, lost := d.answered(s); over {
		outcome := "ok"
		if lost {
			outcome = "lost"
		}
		return map[string]string{order: outcome}
	}
	all := map[string]string{}
	for _, event := range d.held(s) {
		name := event
		if order != "" {
			name = order + " " + event
		}
		maps.Copy(all, d.from(d.after(s, event), name))
	}
	return all
}
