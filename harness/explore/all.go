package explore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/explore/search"
)

// Bounds say how far to go.
type Bounds struct {
	// Delays is how many events may be out of turn; search.NoBound for any number.
	Delays int
	// Orders ends the search after so many runs; 0 means no limit.
	Orders int
	// Until ends it at a moment; the zero time means no limit.
	Until time.Time
	// StopAt ends it after a run of which it is true; nil never does.
	StopAt func(Run) bool
}

// Found is what a search came to.
type Found struct {
	Tree *search.Tree
	Runs int
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

// Tried says in words which orders were, and of none that it was if it was not.
func (f Found) Tried() string {
	if len(f.Untimed) > 0 {
		return f.orders() + "; without time as a choice, since the target takes it by " +
			strings.Join(f.Untimed, ", ")
	}
	return f.orders()
}

func (f Found) orders() string {
	n := f.Tree.Orders()
	switch {
	case f.Every():
		return fmt.Sprintf("every order was tried: %d", n)
	case f.Unreached > 0:
		return fmt.Sprintf("%s, and %d choices could not be reached again", tried(n), f.Unreached)
	case f.Delays >= 0:
		return fmt.Sprintf("%s, all of those with at most %d events out of turn", tried(n), f.Delays)
	}
	return tried(n)
}

func tried(orders int) string {
	if orders == 1 {
		return "1 order was tried"
	}
	return fmt.Sprintf("%d orders were tried", orders)
}

// Explore tries orders, those with the fewest events out of turn first.
func (x *Explorer) Explore(ctx context.Context, plan Plan, b Bounds, each func(Run)) (Found, error) {
	began := time.Now()
	f := Found{Tree: &search.Tree{}, Delays: -1}
	defer func() { f.Took = time.Since(began) }()
	for bound := 0; bound <= b.Delays; bound++ {
		over, err := x.upTo(ctx, plan, b, bound, &f, each)
		f.Open, f.Unreached = f.Tree.Left(bound)
		if over || err != nil {
			f.Took = time.Since(began)
			return f, err
		}
		if f.Unreached == 0 {
			f.Delays = bound
		}
		if all, _ := f.Tree.Left(search.NoBound); all == f.Open {
			if f.Unreached == 0 {
				f.Delays = search.NoBound
			}
			break
		}
	}
	f.Took = time.Since(began)
	return f, nil
}

// upTo tries what is left below one bound, and says whether the search is over.
func (x *Explorer) upTo(ctx context.Context, plan Plan, b Bounds, bound int, f *Found, each func(Run)) (over bool, err error) {
	for {
		beginning, ok := f.Tree.Next(bound)
		if !ok {
			return false, nil
		}
		if b.Orders > 0 && f.Runs >= b.Orders || !b.Until.IsZero() && time.Now().After(b.Until) {
			return true, nil
		}
		run, err := x.Run(ctx, plan, Follow(beginning))
		if err == nil && run.Hung() && f.Restless < mostRestless {
			run, err = x.stillHung(ctx, plan, run)
		}
		if errors.Is(err, ErrRestless) && f.Restless < mostRestless && ctx.Err() == nil {
			f.Restless++
			continue
		}
		if err != nil {
			return true, err
		}
		f.take(run, beginning)
		if each != nil {
			each(run)
		}
		if b.StopAt != nil && b.StopAt(run) {
			return true, nil
		}
	}
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
func (f *Found) take(run Run, beginning []string) {
	f.Runs++
	f.Stops += run.Stops
	if len(run.Untimed) > 0 {
		f.Untimed = run.Untimed
	}
	fresh, err := f.Tree.Add(run.Steps, run.Outcome())
	if err != nil && f.Twice == nil {
		f.Twice = err
	}
	order := search.Order(run.Steps)
	if len(order) < len(beginning) || !slices.Equal(order[:len(beginning)], beginning) {
		f.Tree.Missed(beginning)
	}
	if fresh && run.Bad() {
		f.Bad = append(f.Bad, run)
		if f.First == 0 {
			f.First = f.Tree.Orders()
		}
	}
}

// Walk takes one order by chance.
func Walk(r *rand.Rand) Choose {
	return func(_, options []string) int { return r.IntN(len(options)) }
}
