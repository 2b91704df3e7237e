package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/explore"
	"github.com/reapcheck/reapcheck/harness/explore/search"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
)

// ordersFlags are those that only orders has.
type ordersFlags struct {
	strategy string
	order    string
	commands int
	times    int
	depth    int
	most     int
	limit    time.Duration
	repeats  int
	verbose  bool
}

func newOrders() *cobra.Command {
	var o options
	var g gateFlags
	var f ordersFlags
	cmd := &cobra.Command{
		Use:   "orders [--binary PATH | --image REF | --strategy NAME] [flags] [-- ARGUMENT...]",
		Short: "try every order in which starts, deaths, signals and waits can reach a daemon",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.settle(cmd, &g, &o, args); err != nil {
				return usage(err)
			}
			return f.run(cmd.Context(), &o)
		},
	}
	g.define(cmd)
	addRunFlags(cmd.Flags(), &o)
	fs := cmd.Flags()
	fs.StringVar(&f.strategy, "strategy", "registry", "the reference daemon's strategy, where no other target is given")
	fs.StringVar(&f.order, "order", "", "repeat one `ORDER`")
	fs.IntVar(&f.commands, "commands", 1, "how many commands are in flight")
	fs.IntVar(&f.times, "times", 1, "how often time may pass as a choice")
	fs.IntVar(&f.depth, "depth", -1, "at most so many events out of turn (default: every order)")
	fs.IntVar(&f.most, "most", 0, "end after so many runs")
	fs.DurationVar(&f.limit, "limit", 0, "end after so long")
	fs.IntVar(&f.repeats, "repeats", 0, "take each order that was found again, this often")
	fs.BoolVar(&f.verbose, "verbose", false, "print each run")
	return cmd
}

func (f *ordersFlags) settle(cmd *cobra.Command, g *gateFlags, o *options, args []string) (err error) {
	if err := g.arguments(cmd, args); err != nil {
		return err
	}
	if err := settle(cmd, os.LookupEnv); err != nil {
		return err
	}
	if !cmd.Flags().Changed("seed") {
		o.seed = newSeed()
	}
	o.out, o.progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
	if g.binary == "" && g.image == "" {
		o.candidate = target.Reference(f.strategy)
		return nil
	}
	o.candidate, err = g.target()
	if g.image != "" {
		o.runtime = "docker"
	}
	return err
}

func (f *ordersFlags) run(ctx context.Context, o *options) (err error) {
	progress := session.NewProgress(o.progress, isTerminal(o.progress))
	if _, err := o.settleRuntime(ctx); err != nil {
		return infrastructure(err)
	}
	daemons, err := o.findDaemons(ctx)
	if err != nil {
		return infrastructure(err)
	}
	hub, err := o.openHub(ctx)
	if err != nil {
		return infrastructure(err)
	}
	defer func() { err = errors.Join(err, hub.Close()) }()
	rt, err := o.prepare(ctx, "orders", daemons, progress)
	if err != nil {
		return infrastructure(err)
	}
	defer closeRuntime(ctx, rt, progress)
	x := &explore.Explorer{Runtime: rt, Hub: hub, Spec: o.spec(daemons), Target: o.candidate, Seed: o.seed}
	defer func() { err = errors.Join(err, x.Close(context.WithoutCancel(ctx))) }()
	return f.explore(ctx, o, x)
}

func (o *options) spec(daemons map[target.Build]string) sandbox.Spec {
	t := o.candidate
	spec := sandbox.Spec{Name: "orders", Binary: t.Binary, Image: t.Image, Args: t.Args, Env: t.Env, Port: t.Dialect.Port, Ready: t.Dialect.Ready}
	if t.Ours() {
		spec.Binary, spec.Args = daemons[target.Ordinary], []string{"--strategy=" + t.Strategy}
	}
	return spec
}

func (f *ordersFlags) explore(ctx context.Context, o *options, x *explore.Explorer) error {
	plan := explore.Plan{Times: f.times}
	for range f.commands {
		plan.Commands = append(plan.Commands, load.Instant)
	}
	if f.order != "" {
		for range max(1, f.repeats) {
			run, err := x.Run(ctx, plan, explore.Follow(strings.Fields(f.order)))
			if err != nil {
				return infrastructure(err)
			}
			f.print(o, run)
		}
		return nil
	}
	b := explore.Bounds{Delays: f.depth, Orders: f.most}
	if f.depth < 0 {
		b.Delays = search.NoBound
	}
	if f.limit > 0 {
		b.Until = time.Now().Add(f.limit)
	}
	found, err := x.Explore(ctx, plan, b, func(r explore.Run) {
		if f.verbose {
			f.print(o, r)
		}
	})
	fmt.Fprintf(o.out, "%d orders, %d bad, first bad %d, every %v, delays %d, open %d, unreached %d, runs %d, %v, %d stops, twice %v, sizes %v\n",
		found.Tree.Orders(), len(found.Bad), found.First, found.Every(), found.Delays, found.Open, found.Unreached, found.Runs, found.Took.Round(time.Millisecond), found.Stops, found.Twice, found.Tree.Sizes())
	if err != nil {
		return infrastructure(err)
	}
	return nil
}

func (f *ordersFlags) print(o *options, r explore.Run) {
	fmt.Fprintf(o.out, "%-14s %d %v %d stops  %s\n", r.Outcome(), search.Cost(r.Steps), r.Took.Round(time.Millisecond), r.Stops, r.Order())
}
