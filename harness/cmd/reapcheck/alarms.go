package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/proof"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func newAlarms() *cobra.Command {
	var o options
	var tier string
	runs := 0
	cmd := &cobra.Command{
		Use:   "alarms",
		Short: "run the sound reference daemon again and again, and count what is not a pass",
		Long: `alarms is the counterpart of mutants: it runs the whole of repro on the reference
daemon, which is sound, again and again with fresh seeds, by turns with fault
points and as a black box, on both wait paths. What does not pass is a false
alarm, and a defect of the harness: its results are kept. Those of runs that pass
are not.

It is meant for a machine that has other work to do meanwhile. An interrupt ends
it early, with the table of what was done.

It exits 1 if a run accused the daemon, 2 if one was inconclusive or none was
done, and 3 if one did not work. Of an interrupted command that is said of what
was done.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if runs < 1 {
				return usage(fmt.Errorf("--runs %d: at least one run is needed", runs))
			}
			if o.scale.Tier, err = session.ParseTier(tier); err == nil && o.scale.Tier == session.Soak {
				err = errors.New("a soak is one long run: choose quick or standard")
			}
			if err != nil {
				return usage(err)
			}
			if !cmd.Flags().Changed("seed") {
				o.seed = newSeed()
			}
			o.out, o.progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return o.runAlarms(cmd.Context(), runs)
		},
	}
	f := cmd.Flags()
	f.IntVar(&runs, "runs", len(alarmVariants), "how many `RUNS` there are")
	f.StringVar(&tier, "tier", string(session.Quick), "how much each of them tries: quick or standard")
	addRunFlags(f, &o)
	return cmd
}

// alarmVariant is one way to run repro.
type alarmVariant struct {
	name string
	args []string
}

var alarmVariants = []alarmVariant{
	{"inside", nil},
	{"inside, fallback", []string{"--wait-path=fallback"}},
	{"black box", []string{"--black-box"}},
	{"black box, fallback", []string{"--black-box", "--wait-path=fallback"}},
}

func (o options) runAlarms(ctx context.Context, runs int) error {
	folder, err := results.NewFolder(o.results, "alarms", time.Now())
	if err != nil {
		return infrastructure(err)
	}
	fmt.Fprintf(o.progress, "%d runs, seed %d, results %s\n", runs, o.seed, folder)
	progress := session.NewProgress(o.progress, false)
	all := proof.Alarms{Version: versionText(), Seed: o.seed, Tier: string(o.scale.Tier)}
	seeds := rand.New(rand.NewPCG(o.seed, 0))
	for i := range runs {
		r := o.runOnce(ctx, filepath.Join(folder, strconv.Itoa(i+1)), alarmVariants[i%len(alarmVariants)], shortSeed(seeds.Uint64()))
		if ctx.Err() != nil {
			break // it was cut short
		}
		all.Runs = append(all.Runs, r)
		progress.Say("%d of %d: %v", i+1, runs, r)
	}
	return o.concludeAlarms(folder, all)
}

// runOnce leaves nothing of a run that has passed.
func (o options) runOnce(ctx context.Context, folder string, variant alarmVariant, seed uint64) proof.AlarmRun {
	r := proof.AlarmRun{Variant: variant.name, Seed: seed, Folder: folder}
	args := append([]string{"repro", "--strategy=registry", "--tier=" + string(o.scale.Tier), "--runtime=" + o.runtime,
		"--seed=" + strconv.FormatUint(seed, 10), "--daemons=" + o.daemons, "--base-image=" + o.baseImage,
		"--cgroup-parent=" + o.cgroupParent}, variant.args...)
	began := time.Now()
	run, err := proof.RunApart(ctx, folder, args, variable(""))
	r.TookMs = float64(time.Since(began).Microseconds()) / 1000
	if err != nil {
		r.Verdict, r.Problem = trial.Inconclusive.String(), err.Error()
		return r
	}
	r.Take(run)
	if r.Verdict == trial.Pass.String() && os.RemoveAll(folder) == nil {
		r.Folder = ""
	}
	return r
}

func (o options) concludeAlarms(folder string, all proof.Alarms) error {
	raw, err := json.MarshalIndent(all, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "alarms.json"), append(raw, '\n'), 0o644)
	}
	if err == nil {
		err = all.Table(o.out)
	}
	if err != nil {
		return infrastructure(err)
	}
	switch {
	case all.Problem() != "":
		return exit{exitInfrastructure, errors.New("a run did not work: " + all.Problem())}
	case all.Verdict() == trial.Fail:
		return exit{exitFail, nil}
	case all.Verdict() == trial.Inconclusive:
		return exit{exitInconclusive, nil}
	}
	return nil
}
