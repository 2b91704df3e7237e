package explore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/explore/search"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/printable"
)

// Bounds say how far to go.
type Bounds struct {
	// Delays is how many events may be out of turn; search.NoBound for any number.
	Delays int
	// Orders ends the search after so many runs; 0 means no limit.
	Orders int
	// Walks is how many random walks follow a search that has not tried every order. The
	// Explorer's seed decides them.
	Walks int
	// Until ends both at a moment; the zero time means no limit.
	Until time.Time
	// StopAt ends both after a run of which it is true; nil never does.
	StopAt func(Run) bool
}

// Found is what a search came to.
type Found struct {
	Tree *search.Tree
	Runs int
	// Searched are the different orders of the search. Walks is how many random walks
	// followed; what they met that was new is in the tree too.
	Searched, Walks int
	// Bad are the orders that cost a command its answer, in the order in which they were
	// tried, First the first one's number, from 1.
	Bad   []Run
	First int
	// Delays is the greatest number of events out of turn up to which all that was met
	// was tried; -1 for none, search.NoBound for every order.
	Delays int
	// Open are choices that were met within the bounds and not taken, Unreached those
	// of them that were not met again.
	Open, Unreached int
	// Restless are runs that never came to a moment at which everybody was held or asleep.
	// They count for nothing, and were taken anew on a fresh target. So are those in which
	// no answer came and that ended otherwise when they were taken again.
	Restless int
	// Twice names an order that had two outcomes, with what else went against the
	// search; nil as it should be.
	Twice error
	// Untimed are calls by which real time gets into the target. Where there are some time
	// is no choice.
	Untimed []string
	Took    time.Duration
	Stops   int
}

// Every says whether all orders were tried, without a bound and with nothing out of
// reach.
func (f Found) Every() bool { return f.Delays == search.NoBound && f.Open == 0 }

// Tried says in words which orders the search has tried, and of none that it was if it was
// not.
func (f Found) Tried() string {
	if len(f.Untimed) > 0 {
		return f.orders() + "; without time as a choice, since the target takes it by " +
			strings.Join(f.Untimed, ", ")
	}
	return f.orders()
}

func (f Found) orders() string {
	n := f.Searched
	switch {
	case f.Every():
		return fmt.Sprintf("every order was tried: %d", n)
	case f.Unreached > 0:
		return fmt.Sprintf("%s, and %s could not be reached again", tried(n),
			printable.Plural(f.Unreached, "choice"))
	case f.Delays == 0:
		return tried(n) + ", among them the one with no event out of turn"
	case f.Delays > 0:
		return fmt.Sprintf("%s, among them all with at most %s out of turn", tried(n),
			printable.Plural(f.Delays, "event"))
	}
	return tried(n)
}

func tried(orders int) string {
	if orders == 1 {
		return "1 order was tried"
	}
	return fmt.Sprintf("%d orders were tried", orders)
}

// Explore tries orders, those with the fewest events out of turn first. Where these are not
// all, random walks follow.
func (x *Explorer) Explore(ctx context.Context, plan Plan, b Bounds, each func(Run)) (Found, error) {
	began := time.Now()
	w := &work{Explorer: x, plan: plan, bounds: b, each: each, Found: Found{Tree: &search.Tree{}, Delays: -1}}
	err := w.search(ctx)
	w.Searched = w.Tree.Orders()
	if err == nil && !w.Every() {
		err = w.walks(ctx)
	}
	w.Took = time.Since(began)
	return w.Found, err
}

// work is one search, and the walks after it.
type work struct {
	*Explorer
	Found
	plan   Plan
	bounds Bounds
	each   func(Run)
	ended  bool // by what the bounds name
}

func (w *work) search(ctx context.Context) error {
	for bound := 0; bound <= w.bounds.Delays; bound++ {
		over, err := w.upTo(ctx, bound)
		w.Open, w.Unreached = w.Tree.Left(bound)
		if over || err != nil {
			return err
		}
		if w.Unreached == 0 {
			w.Delays = bound
		}
		if all, _ := w.Tree.Left(search.NoBound); all == w.Open {
			if w.Unreached == 0 {
				w.Delays = search.NoBound
			}
			break
		}
	}
	return nil
}

// upTo tries what is left below one bound, and says whether the search is over.
func (w *work) upTo(ctx context.Context, bound int) (over bool, err error) {
	for {
		beginning, ok := w.Tree.Next(bound)
		if !ok {
			return false, nil
		}
		if w.bounds.Orders > 0 && w.Runs >= w.bounds.Orders || w.late() {
			return true, nil
		}
		run, err := w.one(ctx, func() Choose { return Follow(beginning) })
		if err != nil {
			return true, err
		}
		if order := search.Order(run.Steps); len(order) < len(beginning) ||
			!slices.Equal(order[:len(beginning)], beginning) {
			w.Tree.Missed(beginning)
		}
		if w.note(run); w.ended {
			return true, nil
		}
	}
}

// mostFalls is how often a chain of events falls behind in a walk, at most. A walk with none
// finds what needs two events in one order, and each fall makes that one more.
const mostFalls = 3

// walks takes orders by chance. Each draws from its own number, so that the first ones
// are the same however many follow.
func (w *work) walks(ctx context.Context) error {
	longest := w.Tree.Longest()
	for w.Walks < w.bounds.Walks && !w.ended && !w.late() {
		run, err := w.one(ctx, func() Choose {
			r := load.Random(w.Seed, "walk", w.Walks)
			walk := search.NewWalk(r, w.Walks%(mostFalls+1), longest)
			return func(_, options []string) int { return walk.Next(options) }
		})
		if err != nil {
			return err
		}
		w.Walks++
		run.Walk = w.Walks
		w.note(run)
	}
	return nil
}

func (w *work) late() bool { return !w.bounds.Until.IsZero() && time.Now().After(w.bounds.Until) }

// one takes an order, once more on a fresh target where there was no rest.
func (w *work) one(ctx context.Context, choose func() Choose) (Run, error) {
	for {
		run, err := w.Run(ctx, w.plan, choose())
		if err == nil && run.Hung() && w.Restless < mostRestless {
			run, err = w.stillHung(ctx, w.plan, run)
		}
		if !errors.Is(err, ErrRestless) || w.Restless >= mostRestless || ctx.Err() != nil {
			return run, err
		}
		w.Restless++
	}
}

// note adds one run, and hands it on.
func (w *work) note(run Run) {
	w.take(run)
	if w.each != nil {
		w.each(run)
	}
	w.ended = w.bounds.StopAt != nil && w.bounds.StopAt(run)
}

// stillHung takes an order once more in which no answer came: on a busy machine a rest has
// been taken for the end of everything. One that then ends otherwise had no rest.
func (x *Explorer) stillHung(ctx context.Context, plan Plan, run Run) (Run, error) {
	again, err := x.Run(ctx, plan, Follow(search.Order(run.Steps)))
	if err == nil && !again.Hung() {
		err = fmt.Errorf("%w: no answer came after %q, and one when it was taken again",
			ErrRestless, run.Order())
	}
	return again, err
}

// mostRestless bounds them: a busy machine is seen to have one in some thousand runs, and
// a target that spins has nothing else.
const mostRestless = 3

// take adds one run.
func (f *Found) take(run Run) {
	f.Runs++
	f.Stops += run.Stops
	if len(run.Untimed) > 0 {
		f.Untimed = run.Untimed
	}
	fresh, err := f.Tree.Add(run.Steps, run.Outcome())
	if err != nil && f.Twice == nil {
		f.Twice = err
	}
	if fresh && run.Bad() {
		f.Bad = append(f.Bad, run)
		if f.First == 0 {
			f.First = f.Tree.Orders()
		}
	}
}
