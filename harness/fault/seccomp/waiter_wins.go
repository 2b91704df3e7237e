package seccomp

import (
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
)

// orphanAge is how long a zombie for which no one waits is kept from the reaper
// while the target is at rest. It is far longer than a handler takes from the start
// of a command to its wait, and short enough for orphans to be reaped in passing. A
// target that is kept off the CPU is not at rest: by the clock, a second was too
// short for 3 handlers in 1,000 on a machine with twenty times the work it can do.
const orphanAge = time.Second

// restStep is how often it is looked whether the target is at rest.
const restStep = 10 * time.Millisecond

// waiterWins makes each take come second.
//
// To let a take go as soon as no zombie is left would not do: a child that ends
// before the kernel runs the call would still be taken, be it microseconds later
// or, on a busy machine, as much as a command takes from start to end. So the
// call is answered instead, with what the kernel would have said at the moment
// of the look: no child has ended, or there is none.
type waiterWins struct {
	family family
	counts *Counts
	limit  time.Duration
	// died has the zombies, and when each was first seen.
	died map[int]moment
	// rested is how long the target was seen at rest while there were zombies, the
	// last time at looked.
	rested time.Duration
	looked time.Time
	// awaited has the children for which a wait has entered.
	awaited map[int]bool
}

// moment is a time by the clock and by the target's rest.
type moment struct {
	at     time.Time
	rested time.Duration
}

func (r *waiterWins) judge(e *entry, now time.Time) answer {
	switch e.side {
	case wait:
		if pid, err := r.family.identify(e.call); err == nil {
			r.awaited[pid] = true
		}
	case take:
		return r.take(e, now)
	}
	return goOn
}

func (r *waiterWins) take(e *entry, now time.Time) answer {
	dead, alive, err := r.family.zombies()
	if err != nil {
		return r.counts.unseen(err)
	}
	r.remember(dead, alive, now)
	if len(dead) > 0 {
		r.rest(now)
	}
	owned, orphans, stuck := r.sort(dead, now)
	switch {
	case stuck > 0:
		e.tally = &r.counts.LimitHits
		return goOn
	case owned > 0:
		e.tally = &r.counts.WaiterFirst
		return hold
	case orphans > 0:
		e.tally = nil // it was held for an orphan, for which nobody came first
		return goOn
	case len(alive) == 0:
		return childless
	case e.mayBeNone:
		return none
	case e.blocks:
		return hold // as the kernel would
	}
	return goOn
}

// remember notes new zombies and forgets children that are gone, whose numbers
// may come again.
func (r *waiterWins) remember(dead, alive []int, now time.Time) {
	died, awaited := map[int]moment{}, map[int]bool{}
	for _, pid := range dead {
		died[pid] = moment{now, r.rested}
		if since, ok := r.died[pid]; ok {
			died[pid] = since
		}
	}
	for _, pid := range append(alive, dead...) {
		if r.awaited[pid] {
			awaited[pid] = true
		}
	}
	r.died, r.awaited = died, awaited
}

// rest counts the time since the last look if none of the target's threads runs or
// wants to. What was not looked at for long does not count, since this process is
// kept off the CPU too.
func (r *waiterWins) rest(now time.Time) {
	since := now.Sub(r.looked)
	if since < restStep {
		return
	}
	r.looked = now
	if runs, err := probe.Runs(r.family.target); err == nil && !runs {
		r.rested += min(since, 2*restStep)
	}
}

// sort counts the zombies that someone waits for or soon may, those that
// no one claims, and those that someone waits for and does not take. At the limit
// a zombie that no one claims is an orphan even if the target never rests.
func (r *waiterWins) sort(dead []int, now time.Time) (owned, orphans, stuck int) {
	for _, pid := range dead {
		age, rested := now.Sub(r.died[pid].at), r.rested-r.died[pid].rested
		switch {
		case r.awaited[pid] && age > r.limit:
			stuck++
		case !r.awaited[pid] && (rested > orphanAge || age > r.limit):
			orphans++
		default:
			owned++
		}
	}
	return owned, orphans, stuck
}
