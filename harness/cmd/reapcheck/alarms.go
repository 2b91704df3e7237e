package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

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
	f.IntVar(&runs, "runs", len(alarmTurns), "how many `RUNS` there are")
	f.StringVar(&tier, "tier", string(session.Quick), "how much each of them tries: quick or standard")
	addRunFlags(f, &o)
	return cmd
}

// alarmTurn is one way to run repro.
type alarmTurn struct {
	name string
	args []string
}

var alarmTurns = []alarmTurn{
	{"inside", nil},
	{"inside, fallback", []string{"--wait-path=fallback"}},
	{"black box", []string{"--black-box"}},
	{"black box, fallback", []string{"--black-box", "--wait-path=fallback"}},
}

// alarmRun is what one run came to.
type alarmRun struct {
	Turn    string `json:"turn"`
	Seed    uint64 `json:"seed"`
	Runtime string `json:"runtime"`
	Verdict string `json:"verdict"`
	// Alarms are the scenarios that did not pass, with their reasons.
	Alarms []string `json:"alarms,omitempty"`
	// Problem is what kept the run from its work.
	Problem string `json:"problem,omitempty"`
	// Folder keeps the results of a run that did not pass.
	Folder string  `json:"folder,omitempty"`
	TookMs float64 `json:"tookMs"`
}

// alarms is alarms.json.
type alarms struct {
	Version string     `json:"version"`
	Seed    uint64     `json:"seed"`
	Tier    string     `json:"tier"`
	Runs    []alarmRun `json:"runs"`
}

func (o options) runAlarms(ctx context.Context, runs int) error {
	folder, err := results.NewFolder(o.results, "alarms", time.Now())
	if err != nil {
		return infrastructure(err)
	}
	fmt.Fprintf(o.progress, "%d runs, seed %d, results %s\n", runs, o.seed, folder)
	progress := session.NewProgress(o.progress, false)
	all := alarms{Version: versionText(), Seed: o.seed, Tier: string(o.scale.Tier)}
	seeds := rand.New(rand.NewPCG(o.seed, 0))
	for i := range runs {
		r := o.runOnce(ctx, filepath.Join(folder, strconv.Itoa(i+1)), alarmTurns[i%len(alarmTurns)], shortSeed(seeds.Uint64()))
		if ctx.Err() != nil {
			break // it was cut short
		}
		all.Runs = append(all.Runs, r)
		progress.Say("%d of %d: %v", i+1, runs, r)
	}
	return o.concludeAlarms(folder, all)
}

// runOnce leaves nothing of a run that has passed.
func (o options) runOnce(ctx context.Context, folder string, turn alarmTurn, seed uint64) alarmRun {
	r := alarmRun{Turn: turn.name, Seed: seed, Folder: folder}
	args := append([]string{"repro", "--strategy=registry", "--tier=" + string(o.scale.Tier), "--runtime=" + o.runtime,
		"--seed=" + strconv.FormatUint(seed, 10), "--daemons=" + o.daemons, "--base-image=" + o.baseImage}, turn.args...)
	began := time.Now()
	run, err := runApart(ctx, folder, args)
	r.TookMs = float64(time.Since(began).Microseconds()) / 1000
	if err != nil {
		r.Verdict, r.Problem = trial.Inconclusive.String(), err.Error()
		return r
	}
	r.take(run)
	if r.Verdict == trial.Pass.String() && os.RemoveAll(folder) == nil {
		r.Folder = ""
	}
	return r
}

// take takes in what a run found.
func (r *alarmRun) take(run results.Run) {
	r.Verdict, r.Problem, r.Runtime = run.Verdict.String(), run.Info.Problem, run.Info.Runtime
	for _, f := range run.Findings {
		if f.Verdict != trial.Pass {
			r.Alarms = append(r.Alarms, fmt.Sprintf("%s: %v: %s", f.ID, f.Verdict, f.Reason))
		}
	}
}

// String is the run in a line.
func (r alarmRun) String() string {
	text := fmt.Sprintf("%s: %s in %.1fs", r.Turn, r.Verdict, r.TookMs/1000)
	for _, alarm := range r.Alarms {
		text += "; " + alarm
	}
	if r.Problem != "" {
		text += "; problem: " + r.Problem
	}
	return text
}

func (o options) concludeAlarms(folder string, all alarms) error {
	raw, err := json.MarshalIndent(all, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "alarms.json"), append(raw, '\n'), 0o644)
	}
	if err == nil {
		err = all.table(o.out)
	}
	if err != nil {
		return infrastructure(err)
	}
	return all.status()
}

// count is how many runs of a turn came to a verdict; an empty turn or verdict is
// any.
func (a alarms) count(turn, verdict string) (n int) {
	for _, r := range a.Runs {
		if (turn == "" || r.Turn == turn) && (verdict == "" || r.Verdict == verdict) {
			n++
		}
	}
	return n
}

func (a alarms) table(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "turn\truns\tpass\tfail\tinconclusive")
	for _, turn := range alarmTurns {
		fmt.Fprintf(table, "%s\t%d", turn.name, a.count(turn.name, ""))
		for _, v := range []trial.Verdict{trial.Pass, trial.Fail, trial.Inconclusive} {
			fmt.Fprintf(table, "\t%d", a.count(turn.name, v.String()))
		}
		fmt.Fprintln(table)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	runs, bad := len(a.Runs), len(a.Runs)-a.count("", trial.Pass.String())
	_, err := fmt.Fprintf(w, "\ntier %s, seed %d\nfalse alarms: %d in %d runs, upper95 %.3g%%\n", a.Tier, a.Seed, bad, runs, 100*trial.Upper95(bad, runs))
	return err
}

// status is the worst that a run came to.
func (a alarms) status() error {
	for _, r := range a.Runs {
		if r.Problem != "" {
			return exit{exitInfrastructure, errors.New("a run did not work: " + r.Problem)}
		}
	}
	switch {
	case a.count("", trial.Fail.String()) > 0:
		return exit{exitFail, nil}
	case len(a.Runs) == 0 || a.count("", trial.Pass.String()) < len(a.Runs):
		return exit{exitInconclusive, nil}
	}
	return nil
}
