package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/proof"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func newAlarms() *cobra.Command {
	var o options
	var s splitFlags
	var tier string
	runs := 0
	cmd := &cobra.Command{
		Use:   "alarms",
		Short: "run the sound reference daemon again and again, and count what is not a pass",
		Long: `alarms is the counterpart of mutants: it runs the whole of repro on the reference
daemon, which is sound, again and again with fresh seeds. Runs alternate between
fault points and a black box, on both wait paths. A run that does not pass is a false
alarm, and a defect of the harness. Its results are kept, and those of runs that pass
are removed.

It is meant for a machine that has other work to do meanwhile. An interrupt ends
it early, with the table of what was done.

It exits 1 if a run accused the daemon, 2 if one was inconclusive or none was
done, and 3 if one did not work. If it is interrupted, the runs that were done decide.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if runs < 1 {
				return usage(fmt.Errorf("--runs %d is invalid: choose 1 or more", runs))
			}
			if o.scale.Tier, err = parseAlarmTier(tier); err == nil {
				err = s.resolve(cmd, &o)
			}
			if err != nil {
				return usage(err)
			}
			return o.runAlarms(cmd.Context(), runs)
		},
	}
	f := cmd.Flags()
	f.IntVar(&runs, "runs", len(alarmVariants), "how many `RUNS` to do")
	f.StringVar(&tier, "tier", string(session.Quick), "how much each tries: quick or standard")
	s.define(f)
	addRunFlags(f, &o)
	return cmd
}

func parseAlarmTier(text string) (session.Tier, error) {
	tier, err := session.ParseTier(text)
	if err == nil && tier == session.Soak {
		err = errors.New("a soak is one long run: choose quick or standard")
	}
	return tier, err
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
	all := proof.Alarms{Version: versionText(), Seed: o.seed, Tier: string(o.scale.Tier)}
	var cases []string
	for i := range runs {
		cases = append(cases, strconv.Itoa(i+1))
	}
	all.Shard = proof.NewShard(o.shard, cases, versionText(), o.seed, o.runtime, o.scale.Tier)
	var before proof.Alarms
	inTable := func(a *proof.Alarms) proof.Shard { return a.Shard }
	if done, ok := doneTable(o, alarmsTable, all.Shard, inTable); ok {
		return o.showAlarms(*done)
	}
	folder, err := o.splitFolder("alarms")
	if err != nil {
		return infrastructure(err)
	}
	fmt.Fprintf(o.progress, "%d runs, seed %d, results %s\n", runs, o.seed, folder)
	err = o.before(filepath.Join(folder, alarmsTable), all.Shard.Plan, &before, &before.Shard)
	if err != nil {
		return usage(err)
	}
	if all, err = o.runAll(ctx, folder, all, before); err != nil {
		return infrastructure(err)
	}
	return o.showAlarms(all)
}

// runAll does the runs that are this shard's and not known from before.
func (o options) runAll(ctx context.Context, folder string, all, before proof.Alarms) (
	proof.Alarms, error) {
	progress := session.NewProgress(o.progress, false)
	seeds := rand.New(rand.NewPCG(o.seed, 0))
	for i, name := range all.Shard.Cases {
		seed := shortSeed(seeds.Uint64()) // also of a run that is another shard's
		if !all.Shard.Has(name) {
			continue
		}
		r, known := before.Of(name)
		if !known {
			r = o.runOnce(ctx, filepath.Join(folder, name), alarmVariants[i%len(alarmVariants)],
				seed)
			r.Name = name
		}
		if ctx.Err() != nil && !known {
			break // it was cut short
		}
		all.Runs = append(all.Runs, r)
		progress.Say("%s of %d: %v", name, len(all.Shard.Cases), r)
		if err := proof.Write(filepath.Join(folder, alarmsTable), all); err != nil {
			return all, err
		}
	}
	all.Shard.Done = ctx.Err() == nil
	return all, proof.Write(filepath.Join(folder, alarmsTable), all)
}

// runOnce leaves nothing of a run that has passed.
func (o options) runOnce(ctx context.Context, folder string, variant alarmVariant,
	seed uint64) proof.AlarmRun {
	r := proof.AlarmRun{Variant: variant.name, Seed: seed, Folder: folder}
	args := append([]string{"repro", "--strategy=registry", "--tier=" + string(o.scale.Tier),
		"--runtime=" + o.runtime,
		"--seed=" + strconv.FormatUint(seed, 10), "--daemons=" + o.daemons, "--base-image=" +
			o.baseImage,
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

func (o options) showAlarms(all proof.Alarms) error {
	if err := all.Table(o.out); err != nil {
		return infrastructure(err)
	}
	switch {
	case len(all.Runs) == 0 && all.Shard.Done && all.Shard.Of > 1: // more shards than runs
		return nil
	case all.Problem() != "":
		return exit{exitInfrastructure, errors.New("a run did not work: " + all.Problem())}
	case all.Verdict() == trial.Fail:
		return exit{exitFail, nil}
	case all.Verdict() == trial.Inconclusive:
		return exit{exitInconclusive, nil}
	}
	return nil
}
