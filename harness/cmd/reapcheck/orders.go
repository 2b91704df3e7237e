package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/explore"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/speaker"
	"github.com/reapcheck/reapcheck/harness/target"
)

// ordersFlags are those that only orders has.
type ordersFlags struct {
	strategy, order, shape string
	commands, times        int
	depth, most, walks     int
	limit                  time.Duration
	repeats                int
	list, verbose          bool
}

func newOrders() *cobra.Command {
	o := options{blackBox: true, checkDialect: true} // fault points are of no use here
	var g gateFlags
	var f ordersFlags
	cmd := &cobra.Command{
		Use:   "orders [--binary PATH | --image REF | --strategy NAME] [flags] [-- ARGUMENT...]",
		Short: "try every order in which starts, deaths, signals and waits can reach a daemon",
		Long: `orders runs your daemon under a tracer, holds what the kernel tells it (its command
has started, has ended, has written its last byte; SIGCHLD; what its waits return),
and releases one of these at a time, in every order. An order that loses an exit code
has a name, by which it can be run again:

  reapcheck orders --binary ./mydaemon --order 'exit sigchld take start eof wait'

Where there are too many, --walks takes some by chance: what comes late in one of
these stays so for long, which a search by events out of turn reaches last.

The daemon is not changed. Its clock is the tracer's, so a busy machine changes
no outcome. In the same run the reference daemon must lose codes, or nothing is
proved. One thread of the daemon goes on at a time: what two of them do between
two system calls comes in one order, the same each time, and is not tried in others.

Exit status: 0 every order that was tried is right, 1 an order loses, 2 nothing is
proved, 3 infrastructure, 64 usage.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.resolve(cmd, &g, &o, args); err != nil {
				return usage(err)
			}
			return f.run(cmd.Context(), &o)
		},
	}
	g.define(cmd)
	addRunFlags(cmd.Flags(), &o)
	f.define(cmd)
	return cmd
}

func (f *ordersFlags) define(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.strategy, "strategy", "registry",
		"the reference daemon's strategy, where no other target is given")
	fs.StringVar(&f.order, "order", "",
		"take this `ORDER` and no other: names with a space between them")
	fs.BoolVar(&f.list, "list", false,
		"list the events of the first order, and how large the tree is at each depth")
	fs.StringVar(&f.shape, "shape", "instant", "what is asked: "+explore.ShapeNames())
	fs.IntVar(&f.commands, "commands", 1, "how many commands are asked for, at least: "+
		"a shape may have more")
	fs.IntVar(&f.times, "times", 1, "how often time may pass as a choice")
	fs.IntVar(&f.depth, "depth", -1, "at most so many events out of turn (default: any number)")
	fs.IntVar(&f.most, "most", 0, "end after so many runs")
	fs.IntVar(&f.walks, "walks", 0, "take `N` random walks, drawn by --seed, where the search "+
		"has not tried every order; without --depth and --most it has only the first one")
	fs.DurationVar(&f.limit, "limit", 0, "end after so long")
	fs.IntVar(&f.repeats, "repeats", 3, "take a bad order, or the one of --order, this often")
	fs.BoolVar(&f.verbose, "verbose", false, "print each order")
}

func (f *ordersFlags) resolve(cmd *cobra.Command, g *gateFlags, o *options,
	args []string) (err error) {
	if err := g.arguments(cmd, args); err != nil {
		return err
	}
	if err := resolve(cmd, os.LookupEnv); err != nil {
		return err
	}
	if !cmd.Flags().Changed("seed") {
		o.seed = newSeed()
	}
	o.out, o.progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
	switch {
	case g.url != "":
		return errors.New(
			"a daemon that runs already cannot be traced from its start: give --binary or --image")
	case explore.Shapes[f.shape].Commands == nil:
		return fmt.Errorf("unknown shape %q: choose from %s", f.shape, explore.ShapeNames())
	case f.commands < 1:
		return errors.New("--commands must be 1 or more")
	case f.walks < 0:
		return errors.New("--walks must be 0 or more")
	case g.binary == "" && g.image == "":
		o.candidate = target.Reference(f.strategy)
		return nil
	case g.image != "":
		o.runtime = "docker"
	}
	if o.candidate, err = g.target(); err != nil {
		return err
	}
	if why := session.NoOrders(o.candidate.Dialect); why != "" {
		return errors.New(why)
	}
	return nil
}

func (f *ordersFlags) run(ctx context.Context, o *options) (err error) {
	progress := session.NewProgress(o.progress, isTerminal(o.progress))
	if _, err := o.chooseRuntime(ctx); err != nil {
		return infrastructure(err)
	}
	daemons, err := o.findDaemons(ctx)
	if err != nil {
		return infrastructure(err)
	}
	hub, rt, takeDown, err := o.bringUp(ctx, "orders", daemons, progress)
	defer func() { err = errors.Join(err, takeDown()) }()
	if err != nil {
		return infrastructure(err)
	}
	return f.explore(ctx, o, workbench{rt, hub, daemons, o.seed})
}

// explorer is for one target. The name must be the run's only one.
func (w workbench) explorer(name string, t target.Target) *explore.Explorer {
	spec := speaker.Spec(t, name, w.daemons)
	return &explore.Explorer{Runtime: w.runtime, Hub: w.hub, Spec: spec, Target: t, Seed: w.seed}
}
