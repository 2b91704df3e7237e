package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/merge"
	"github.com/reapcheck/reapcheck/harness/results"
)

func newMerge() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "merge DIR...",
		Short: "judge the shards of a plan as one run",
		Long: `merge takes what the shards of a plan have left (--shard), each DIR being the result
folder of a shard or a folder that holds such folders, puts their recordings together
in a result folder of its own below --results, judges them, and writes the reports as
of one run.

Each shard must be there once, whole, and of the same plan: seed, factor, version,
target, runtime and scenarios. A shard that is missing, cut, damaged, doubled or of
another plan is named, and then the verdict is never pass. An attempt that was cut is
replaced by one of the same shard that came to its end, and is not counted.

For mutants and alarms merge writes one table of all shards.

Exit status: 0 pass, 1 fail, 2 inconclusive, 3 infrastructure, 64 usage.`,
		Example: `  reapcheck merge results
  reapcheck merge /mnt/shards/*`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.out, o.progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return o.merge(args)
		},
	}
	cmd.Flags().StringVar(&o.results, "results", "results", "`FOLDER` where the result folder is made")
	return cmd
}

func (o options) merge(paths []string) error {
	plan, err := merge.Find(paths)
	if errors.Is(err, merge.ErrNoShard) {
		return usage(err)
	}
	var folder string
	if err == nil {
		folder, err = results.NewFolder(o.results, "merged-"+plan.ID(), time.Now())
	}
	if err == nil {
		err = errors.Join(plan.Write(folder), results.PointLatest(folder))
	}
	if err != nil {
		return o.unreported(err)
	}
	run, err := results.Load(folder)
	if err == nil {
		err = writeReports(folder, run)
	}
	if err != nil {
		return o.unreported(err)
	}
	fmt.Fprintf(o.progress, "merged %d shards of plan %s\n", len(run.Info.Machines), plan.ID())
	return o.show(run, nil)
}
