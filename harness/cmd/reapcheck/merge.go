package main

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/merge"
	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/proof"
	"github.com/reapcheck/reapcheck/harness/results"
)

func newMerge() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "merge DIR...",
		Short: "judge the shards of a plan as one run",
		Long: `merge judges the shards of a plan (--shard) as one run. Each DIR is the result folder
of a shard, or a folder that holds such folders. merge copies their recordings into a
new result folder below --results, judges them, and writes the reports.

Each shard must be there once, whole, and of the same plan: seed, factor, version,
target, runtime and scenarios. A shard that is missing, cut, damaged, doubled or of
another plan is named, and then the verdict is never pass. If one attempt of a shard was
cut and another came to its end, the cut one does not count.

For mutants and alarms merge writes one table of all shards.

Exit status: 0 pass, 1 fail, 2 inconclusive, 3 infrastructure, 64 usage.`,
		Example: `  reapcheck merge results
  reapcheck merge /mnt/shards/*`,
		Args: named(1, math.MaxInt, "the folders of shards, or one that holds them", "results"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.out, o.progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return o.merge(args)
		},
	}
	cmd.Flags().StringVar(&o.results, "results", "results",
		"`FOLDER` where the result folder is made")
	return cmd
}

// merge judges runs, unless the folders hold tables of mutants or alarms.
func (o options) merge(paths []string) error {
	tables := []struct {
		name  string
		merge func(folders []string) error
	}{{mutantsTable, o.mergeMutants}, {alarmsTable, o.mergeAlarms}}
	for _, table := range tables {
		folders, _, err := merge.Folders(paths, func(folder string) bool {
			_, err := os.Stat(filepath.Join(folder, table.name))
			return err == nil
		})
		if err != nil {
			return usage(err)
		}
		if len(folders) > 0 {
			return table.merge(folders)
		}
	}
	return o.mergeRuns(paths)
}

// tablesIn are the paths of a table in folders. One that merge has made is none.
func tablesIn(folders []string, name string) []string {
	var paths []string
	for _, folder := range folders {
		if !strings.Contains(filepath.Base(folder), mergedMark) {
			paths = append(paths, filepath.Join(folder, name))
		}
	}
	return paths
}

// mergedMark is in the name of what merge makes.
const mergedMark = "-merged"

func (o options) mergeMutants(folders []string) error {
	all, problems := proof.MergeKills(tablesIn(folders, mutantsTable))
	return o.mergedTable("mutants", mutantsTable, all, problems,
		func() error { return o.showKills(all) })
}

func (o options) mergeAlarms(folders []string) error {
	all, problems := proof.MergeAlarms(tablesIn(folders, alarmsTable))
	return o.mergedTable("alarms", alarmsTable, all, problems,
		func() error { return o.showAlarms(all) })
}

// mergedTable writes and shows a table of all shards. With a problem it proves nothing,
// unless it proves a failure.
func (o options) mergedTable(kind, name string, table any, problems []string,
	show func() error) error {
	folder, err := o.newFolder(kind + mergedMark)
	if err == nil {
		err = proof.Write(filepath.Join(folder, name), table)
	}
	if err != nil {
		return infrastructure(err)
	}
	fmt.Fprintf(o.progress, "results %s\n", folder)
	err = show()
	for _, problem := range problems {
		fmt.Fprintln(o.out, "problem:", printable.Line(problem))
	}
	var status exit
	if len(problems) > 0 && !(errors.As(err, &status) && status.status == exitFail) {
		return exit{exitInconclusive, nil}
	}
	return err
}

func (o options) mergeRuns(paths []string) error {
	plan, err := merge.Find(paths)
	if errors.Is(err, merge.ErrNoShard) {
		return usage(err)
	}
	var folder string
	if err == nil {
		folder, err = o.newFolder("merged-" + plan.ID())
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
