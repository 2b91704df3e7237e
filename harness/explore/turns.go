package explore

import (
	"slices"

	"github.com/reapcheck/reapcheck/harness/explore/event"
)

// inTurn sorts what could be next as the plan wants it. What it says nothing about stays as
// it was: the oldest first.
func (r *running) inTurn(all []option) []option {
	if !r.plan.Rush && len(r.plan.Late) == 0 {
		return all
	}
	held := r.reaper()
	news := r.plan.Rush && held != 0 && held != r.rushed
	rest := all
	if len(all) > 0 && all[0].first {
		rest = all[1:]
	}
	slices.SortStableFunc(rest, func(a, b option) int {
		return r.plan.turn(a.name.Kind, news) - r.plan.turn(b.name.Kind, news)
	})
	return all
}

// turn is the place of a kind. news says that the reaper is held with something new.
func (p Plan) turn(kind event.Kind, news bool) int {
	const usual = 2
	switch late := slices.Index(p.Late, kind); {
	case p.Rush && kind == event.Signal:
		return 0
	case news && kind == event.Exit:
		return 1
	case late >= 0:
		return usual + 2 + late
	case p.Rush && kind.Reaper():
		return usual + 1
	}
	return usual
}

// reaper is the event that the reaper is held with; 0 for none.
func (r *running) reaper() int {
	for _, h := range r.queue.held {
		if h.Name.Kind.Reaper() {
			return h.ID
		}
	}
	return 0
}
