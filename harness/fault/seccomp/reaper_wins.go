package seccomp

import (
	"errors"
	"time"
)

// reaperWins makes each wait come second.
type reaperWins struct {
	family family
	counts *Counts
	census census
	limit  time.Duration
}

func (r *reaperWins) judge(e *entry, now time.Time) answer {
	switch e.side {
	case wait:
		r.census.close()
		return r.wait(e, now)
	case look:
		r.look(e)
	case take:
		r.take()
	}
	return goOn
}

// wait holds a call until its child has been reaped. The limit counts from the
// child's end: until then the call would block anyway.
func (r *reaperWins) wait(e *entry, now time.Time) answer {
	if e.child == nil {
		child, err := r.family.openChild(e.call)
		if errors.Is(err, errGone) {
			e.tally = &r.counts.Late
			return goOn
		}
		if errors.Is(err, errNotChild) {
			r.counts.Waits-- // Go's probe for pidfds waits for itself, at the first start
			r.counts.Others++
		}
		if err != nil {
			return r.counts.unseen(err)
		}
		e.child = child
	}
	switch gone := e.child.gone(); {
	case gone && e.held:
		e.tally = &r.counts.ReaperFirst
	case gone:
		e.tally = &r.counts.Late
	case e.child.endedFor(now) > r.limit:
		e.tally = &r.counts.LimitHits
	default:
		return hold
	}
	return goOn
}

// look and take only count, and only where no wait could come second.
func (r *reaperWins) look(e *entry) {
	if r.counts.Waits > 0 || r.counts.Takes > 0 {
		return
	}
	r.counts.Reaped += r.census.reaped()
	if pid, err := r.family.identify(e.call); err == nil {
		r.census.meet(pid)
	}
}

func (r *reaperWins) take() {
	if r.counts.Waits > 0 || r.counts.Looks > 0 {
		return
	}
	r.counts.Reaped += r.census.reaped()
	children, err := r.family.children()
	if err != nil {
		r.counts.unseen(err)
	}
	for _, pid := range children {
		r.census.meet(pid)
	}
}
