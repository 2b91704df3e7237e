package syscallhold

import "time"

// orphanAge is how long a zombie for which nobody waits is kept from the
// reaper. It is far longer than a handler takes from the start of a command to
// its wait (250 ms were too few for 4 in 1,000 on a machine with twenty times the
// work it can do), and short enough for orphans to be reaped in passing.
const orphanAge = time.Second

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
	died map[int]time.Time
	// awaited has the children for which a wait has entered.
	awaited map[int]bool
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
	died, awaited := map[int]time.Time{}, map[int]bool{}
	for _, pid := range dead {
		died[pid] = now
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

// sort counts the zombies that somebody waits for or soon may, those that
// nobody claims, and those that somebody waits for and does not take.
func (r *waiterWins) sort(dead []int, now time.Time) (owned, orphans, stuck int) {
	for _, pid := range dead {
		switch age := now.Sub(r.died[pid]); {
		case r.awaited[pid] && age > r.limit:
			stuck++
		case !r.awaited[pid] && age > orphanAge:
			orphans++
		default:
			owned++
		}
	}
	return owned, orphans, stuck
}
