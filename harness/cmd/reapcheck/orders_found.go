package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/explore"
	"github.com/reapcheck/reapcheck/harness/explore/event"
	"github.com/reapcheck/reapcheck/harness/explore/search"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/target"
)

func (f *ordersFlags) plan() explore.Plan { return explore.Shape(f.shape, f.commands, f.times) }

func (f *ordersFlags) bounds() explore.Bounds {
	b := explore.Bounds{Delays: f.depth, Orders: f.most, Walks: f.walks}
	if f.walks > 0 && f.depth < 0 && f.most == 0 {
		b.Orders = 1
	}
	if f.depth < 0 {
		b.Delays = search.NoBound
	}
	if f.limit > 0 {
		b.Until = time.Now().Add(f.limit)
	}
	return b
}

// explore does what was asked for, and prints the verdict last.
func (f *ordersFlags) explore(ctx context.Context, o *options, w workbench) error {
	x := w.explorer("orders", o.candidate)
	defer x.Close(context.WithoutCancel(ctx))
	switch {
	case f.order != "":
		return f.repeat(ctx, o.out, x)
	case f.list:
		return f.listEvents(ctx, o.out, x)
	}
	found, err := x.Explore(ctx, f.plan(), f.bounds(), func(r explore.Run) {
		if f.verbose {
			fmt.Fprintf(o.out, "%-6s %d out of turn%s: %s\n", r.Outcome(), search.Cost(r.Steps),
				walkNumber(r), r.Order())
		}
	})
	if err != nil {
		return unexplored(o.out, err)
	}
	f.describe(o, found)
	if err := f.again(ctx, o.out, x, found); err != nil {
		return unexplored(o.out, err)
	}
	blind, err := f.baselines(ctx, o, w)
	if err != nil {
		return unexplored(o.out, err)
	}
	return f.verdict(o.out, found, blind)
}

func (f *ordersFlags) describe(o *options, found explore.Found) {
	fmt.Fprintf(o.out, "%s: %s%s; %d bad, in %v (%d runs, %d stops)\n", o.targetText(),
		found.Tried(), walked(found, o.seed),
		len(found.Bad), found.Took.Round(time.Millisecond), found.Runs, found.Stops)
	if len(found.Bad) == 0 {
		return
	}
	bad := found.Bad[0]
	fmt.Fprintf(o.out, "\nthe first one, number %d, with %s out of turn%s:\n\n%s\n",
		found.First, printable.Plural(search.Cost(bad.Steps), "event"), walkNumber(bad),
		bad.Picture())
	fmt.Fprintf(o.out, "to take it again, add to this command: --order '%s'\n", bad.Order())
}

// walked says how many random walks followed a search, and what they met that was new.
func walked(found explore.Found, seed uint64) string {
	if found.Walks == 0 {
		return ""
	}
	return fmt.Sprintf("; %s from seed %d met %d more",
		printable.Plural(found.Walks, "random walk"), seed, found.Tree.Orders()-found.Searched)
}

func walkNumber(r explore.Run) string {
	if r.Walk == 0 {
		return ""
	}
	return fmt.Sprintf(", walk %d", r.Walk)
}

// again takes the first bad order a few times more.
func (f *ordersFlags) again(ctx context.Context, out io.Writer, x *explore.Explorer,
	found explore.Found) error {
	if len(found.Bad) == 0 {
		return nil
	}
	bad := found.Bad[0]
	same := 0
	for range f.repeats {
		run, err := x.Run(ctx, f.plan(), explore.Follow(search.Order(bad.Steps)))
		if err != nil {
			return err
		}
		if run.Same(bad) {
			same++
		}
	}
	fmt.Fprintf(out, "taken %d times more: %d times the same order with the same outcome\n\n",
		f.repeats, same)
	return nil
}

// repeat takes one order.
func (f *ordersFlags) repeat(ctx context.Context, out io.Writer, x *explore.Explorer) error {
	if _, err := event.ParseOrder(f.order); err != nil {
		return usage(err)
	}
	want := strings.Fields(f.order)
	counts := map[string]int{}
	var last explore.Run
	for range max(1, f.repeats) {
		run, err := x.Run(ctx, f.plan(), explore.Follow(want))
		if errors.Is(err, explore.ErrRestless) && f.repeats > 1 {
			counts["none: "+err.Error()]++ // the next one is on a fresh target
			continue
		}
		if err != nil {
			return unexplored(out, err)
		}
		outcome := run.Outcome()
		if !strings.HasPrefix(run.Order()+" ", strings.Join(want, " ")+" ") {
			outcome += ", by another way: " + run.Order()
		}
		counts[outcome]++
		last = run
	}
	fmt.Fprintf(out, "%s\n", last.Picture())
	for outcome, n := range counts {
		fmt.Fprintf(out, "%d of %d: %s\n", n, max(1, f.repeats), outcome)
	}
	if last.Bad() {
		return exit{exitFail, nil}
	}
	return nil
}

// listEvents shows one order, and how large the tree is.
func (f *ordersFlags) listEvents(ctx context.Context, out io.Writer, x *explore.Explorer) error {
	found, err := x.Explore(ctx, f.plan(), f.bounds(), nil)
	if err != nil {
		return unexplored(out, err)
	}
	run, err := x.Run(ctx, f.plan(), explore.Follow(nil))
	if err != nil {
		return unexplored(out, err)
	}
	fmt.Fprintf(out, "%s\n%s\nplaces at each depth: %v\n", run.Picture(), found.Tried(),
		found.Tree.Sizes())
	return nil
}

// baselines are daemons that lose codes in a known way: a search that does not see it
// proves nothing. blind says what it did not see.
func (f *ordersFlags) baselines(ctx context.Context, o *options, w workbench) (blind []string,
	err error) {
	// reaper-only loses in its 1st order, documented in its 8th, and 65th without time
	const most = 60
	for _, strategy := range []string{"reaper-only", "documented"} {
		if o.candidate.Strategy == strategy {
			continue
		}
		x := w.explorer("baseline-"+strategy, target.Reference(strategy))
		plan := explore.Plan{Commands: []load.Source{load.Instant}, Times: 1}
		found, err := x.Explore(ctx, plan,
			explore.Bounds{Delays: search.NoBound, Orders: most, StopAt: explore.Run.Bad}, nil)
		if err = errors.Join(err, x.Close(context.WithoutCancel(ctx))); err != nil {
			return blind, fmt.Errorf("baseline %s: %w", strategy, err)
		}
		if len(found.Bad) == 0 {
			blind = append(blind, fmt.Sprintf("%s lost nothing in %d orders", strategy,
				found.Tree.Orders()))
			continue
		}
		fmt.Fprintf(o.out, "baseline %s: loses in order %d: %s\n", strategy, found.First,
			found.Bad[0].Order())
	}
	return blind, nil
}

func (f *ordersFlags) verdict(out io.Writer, found explore.Found, blind []string) error {
	switch {
	case len(blind) > 0:
		fmt.Fprintf(out, "verdict: inconclusive: %s\n", strings.Join(blind, "; "))
	case found.Twice != nil:
		fmt.Fprintf(out, "verdict: inconclusive: %v\n", found.Twice)
	case len(found.Bad) > 0:
		fmt.Fprintln(out, "verdict: fail")
		return exit{exitFail, nil}
	case found.Walks == 0 && (found.Delays < 0 || found.Unreached > 0):
		fmt.Fprintf(out, "verdict: inconclusive: %s\n", found.Tried())
	default:
		fmt.Fprintln(out, "verdict: pass")
		return nil
	}
	return exit{exitInconclusive, nil}
}

// unexplored tells a target that cannot be explored from a run that did not work.
func unexplored(out io.Writer, err error) error {
	if errors.Is(err, explore.ErrDeclined) || errors.Is(err, explore.ErrRestless) {
		fmt.Fprintf(out, "verdict: inconclusive: %v\n", err)
		return exit{exitInconclusive, nil}
	}
	return infrastructure(err)
}
