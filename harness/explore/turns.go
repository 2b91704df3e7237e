package explore

import (
	"context"
	"slices"
	"time"

	"github.com/reapcheck/reapcheck/harness/explore/event"
)

// option is one that can be next, and what makes it so.
type option struct {
	name  event.Name
	do    func(ctx context.Context) error
	first bool // in turn before all others
}

// options are those in turn: what is held, what a client may do, and time.
func (r *running) options() []option {
	var all []option
	name := event.Name{Kind: event.Ask, Command: r.asked + 1}
	mayAsk := r.asked < len(r.plan.Commands)
	ask := option{name, r.askNext, mayAsk && r.plan.Reuse && r.now.Free && !r.early}
	if ask.first {
		all, r.early = append(all, ask), true
	}
	for i, h := range r.queue.held {
		do := func(context.Context) error { return r.release(i) }
		all = append(all, option{name: h.Name, do: do})
	}
	for _, number := range r.clients.waiting() {
		if r.plan.HangUp && number == 1 {
			name := event.Name{Kind: event.HangUp, Command: number}
			do := func(ctx context.Context) error { return r.hangUp(ctx, number) }
			all = append(all, option{name: name, do: do})
		}
	}
	if r.plan.Terminate && !r.told && len(r.clients.waiting()) > 0 {
		all = append(all, option{name: event.Name{Kind: event.Term}, do: r.terminate})
	}
	if r.plan.Sets != "" && !r.set && len(r.clients.waiting()) > 0 {
		all = append(all, option{name: event.Name{Kind: r.plan.Sets}, do: r.setClock})
	}
	if mayAsk && !ask.first {
		all = append(all, ask)
	}
	by, ok := nextTimer(r.now.Timers)
	ours := ok && shortTimer <= by && by <= longTimer && len(r.now.Untimed) == 0
	if ours && r.times < r.plan.Times {
		do := func(context.Context) error { r.times++; return r.advance(by) }
		all = append(all, option{name: timeName(by), do: do})
	}
	return r.inTurn(all)
}

// setBy is how far the wall clock is set: further than any timeout.
var setBy = map[event.Kind]time.Duration{event.Ahead: 24 * time.Hour, event.Back: -24 * time.Hour}

func (r *running) setClock(context.Context) error {
	r.set = true
	return r.tracer.Set(setBy[r.plan.Sets])
}

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
	if kind == event.Missed { // it comes in place of the other, and after it in turn
		kind = event.Signal
	}
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

// Choose says which option is next, by its index. taken are the names before it.
type Choose func(taken []string, options []string) int

// Follow takes an order as far as it goes, and then what is first in turn.
func Follow(order []string) Choose {
	return func(taken, options []string) int {
		if len(taken) >= len(order) {
			return 0
		}
		return max(0, slices.Index(options, order[len(taken)]))
	}
}
