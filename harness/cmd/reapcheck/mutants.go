package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/fixtures/mutants"
	"github.com/reapcheck/reapcheck/harness/machine"
	"github.com/reapcheck/reapcheck/harness/owner"
	"github.com/reapcheck/reapcheck/harness/parallel"
	"github.com/reapcheck/reapcheck/harness/proof"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
	"github.com/reapcheck/reapcheck/scenarios"
)

func newMutants() *cobra.Command {
	var o options
	var only []string
	var s splitFlags
	var slice string
	var jobs int
	cmd := &cobra.Command{
		Use:   "mutants",
		Short: "plant known defects in the reference daemon and see each of them caught",
		Long: `mutants plants the defects of fixtures/mutants in the reference daemon, one at a
time, and runs the scenario that must catch it. The daemon without a defect is
judged by the same scenarios and must pass. All builds are ordinary ones, and
faults come from outside. It needs the source tree and Go.

It exits 1 if a defect is not caught, or not by the scenario and the symptom named
for it, or if a daemon without a defect does not pass; 2 if it was interrupted, and
3 if one could not be judged.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := s.resolve(cmd, &o); err != nil {
				return usage(err)
			}
			chosen, err := chooseMutants(only, slice, o.seed)
			if err != nil {
				return usage(err)
			}
			return o.runMutants(cmd.Context(), chosen, jobs)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&only, "only", nil, "defects to plant, by slug (default all)")
	f.StringVar(&slice, "slice", "1/1", "plant the `K/N`th part, drawn by the seed")
	s.define(f)
	f.IntVar(&jobs, "jobs", 2*runtime.NumCPU(),
		"how many to judge at the same time; most of them wait")
	addRunFlags(f, &o)
	return cmd
}

// chooseMutants draws the slice by the seed, so that another seed gives another
// one, and returns it in the order of the slugs.
func chooseMutants(only []string, slice string, seed uint64) ([]proof.Mutant, error) {
	all, err := proof.Load(mutants.Patches)
	if err != nil {
		return nil, err
	}
	for _, slug := range only {
		if !slices.ContainsFunc(all, func(m proof.Mutant) bool { return m.Slug == slug }) {
			return nil, fmt.Errorf("unknown mutant %q: see fixtures/mutants", slug)
		}
	}
	var k, n int
	if _, err := fmt.Sscanf(slice, "%d/%d", &k, &n); err != nil || k < 1 || k > n ||
		slice != fmt.Sprintf("%d/%d", k, n) {
		return nil, fmt.Errorf("slice %q is not K/N with 1 <= K <= N", slice)
	}
	var chosen []proof.Mutant
	for place, i := range rand.New(rand.NewPCG(seed, 0)).Perm(len(all)) {
		if place%n == k-1 && (len(only) == 0 || slices.Contains(only, all[i].Slug)) {
			chosen = append(chosen, all[i])
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("slice %s has none of the mutants that were asked for: "+
			"take a smaller N, or leave --slice out", slice)
	}
	slices.SortFunc(chosen, func(a, b proof.Mutant) int { return strings.Compare(a.Slug, b.Slug) })
	return chosen, nil
}

// mutantRun is what all mutants of one run share.
type mutantRun struct {
	options
	root    string   // of the sources
	folder  string   // of the results
	scratch string   // for builds
	all     []string // scenarios for a black box
	jobs    int
	pace    time.Duration // of a command while all jobs are at work
	kills   proof.Kills
}

func (o options) runMutants(ctx context.Context, chosen []proof.Mutant, jobs int) error {
	of := o.mutantShard(chosen)
	inTable := func(k *proof.Kills) proof.Shard { return k.Shard }
	if done, ok := doneTable(o, mutantsTable, of, inTable); ok {
		return o.showKills(*done)
	}
	r, err := o.prepareMutants(ctx, jobs)
	defer os.RemoveAll(r.scratch)
	if errors.Is(err, machine.ErrChoice) && ctx.Err() == nil {
		return usage(err)
	}
	if err != nil {
		return notDone(ctx, err)
	}
	r.kills.Shard = of
	chosen = slices.DeleteFunc(slices.Clone(chosen),
		func(m proof.Mutant) bool { return !of.Has(m.Slug) })
	fmt.Fprintf(o.progress, "%d mutants, seed %d, results %s\n", len(chosen), o.seed, r.folder)
	var before proof.Kills
	if err := o.before(r.table(), r.kills.Shard.Plan, &before, &before.Shard); err != nil {
		return usage(err)
	}
	if err := r.tryAll(ctx, chosen, before); err != nil {
		return notDone(ctx, err)
	}
	return r.concludeMutants()
}

// tryAll tries the daemon without a defect and each mutant, jobs of them at a time, unless
// they have been judged before. It writes the table again after each.
func (r *mutantRun) tryAll(ctx context.Context, chosen []proof.Mutant, before proof.Kills) error {
	tasks := unpatched(chosen)
	for _, m := range chosen {
		tasks = append(tasks, task{m, []string{m.KilledBy}})
	}
	results := make([]*proof.Kill, len(tasks))
	progress := session.NewProgress(r.progress, false)
	var mu sync.Mutex
	_, err := parallel.Do(ctx, 0, len(tasks), r.jobs, func(i int) {
		kill, known := before.Of(tasks[i].Slug, tasks[i].Strategy)
		if !known {
			kill = r.try(ctx, tasks[i])
			progress.Say("%v", kill)
		}
		if ctx.Err() != nil && !known {
			return // it was cut short
		}
		mu.Lock()
		defer mu.Unlock()
		results[i] = &kill
		r.note(results)
	})
	return errors.Join(err, ctx.Err())
}

// mutantShard is this shard of all mutants that were chosen.
func (o options) mutantShard(chosen []proof.Mutant) proof.Shard {
	var cases []string
	for _, m := range chosen {
		cases = append(cases, m.Slug)
	}
	return proof.NewShard(o.shard, cases, versionText(), o.seed, o.runtime)
}

func (r *mutantRun) table() string { return filepath.Join(r.folder, mutantsTable) }

// note writes what there is. What cannot be written is said at the end, by the last try.
func (r *mutantRun) note(results []*proof.Kill) {
	k := proof.Kills{Version: versionText(), Seed: r.seed, Runtime: r.runtime, Shard: r.kills.Shard}
	for _, kill := range results {
		if kill != nil {
			k.Kills = append(k.Kills, *kill)
		}
	}
	k.Count()
	r.kills = k
	_ = proof.Write(r.table(), k)
}

// notDone is the end of a run that has no result. An interrupt proves nothing and
// is no one's fault.
func notDone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return exit{exitInconclusive, errInterrupted}
	}
	return infrastructure(err)
}

func (o options) prepareMutants(ctx context.Context, jobs int) (r mutantRun, err error) {
	if _, err := o.chooseRuntime(ctx); err != nil {
		return r, err
	}
	r.options, r.jobs = o, jobs
	if r.pace, err = o.crowdedPace(ctx, jobs); err != nil {
		return r, err
	}
	if r.root, err = proof.Root(ctx); err != nil {
		return r, err
	}
	list, err := scenarios.Select(nil, scenarios.Outside)
	if err != nil {
		return r, err
	}
	for _, s := range list {
		r.all = append(r.all, s.ID)
	}
	if r.folder, err = o.splitFolder("mutants"); err != nil {
		return r, err
	}
	r.scratch, err = owner.MakeFolder("mutants-")
	return r, err
}

// crowdedPace is what a command takes while all jobs are at work. It is measured once:
// each judge would take longer for that than for what it judges.
func (o options) crowdedPace(ctx context.Context, jobs int) (command time.Duration, err error) {
	w, takeDown, err := o.workbench(ctx, "pace", session.NewProgress(o.progress, false))
	defer func() { err = errors.Join(err, takeDown()) }()
	if err != nil {
		return 0, err
	}
	pace, err := w.pace(ctx)
	return pace.Command * time.Duration(max(jobs, runtime.NumCPU())) /
		time.Duration(runtime.NumCPU()), err
}

// task is one build and the scenarios that decide about it. A mutant without a
// slug is the daemon as it is.
type task struct {
	proof.Mutant
	named []string
}

// unpatched are the daemons without a defect, one for each strategy, with all the
// scenarios that are to fail on a mutant of it.
func unpatched(chosen []proof.Mutant) []task {
	var all []task
	for _, m := range chosen {
		i := slices.IndexFunc(all, func(t task) bool { return t.Strategy == m.Strategy })
		if i < 0 {
			i = len(all)
			all = append(all, task{proof.Mutant{Strategy: m.Strategy}, nil})
		}
		if !slices.Contains(all[i].named, m.KilledBy) {
			all[i].named = append(all[i].named, m.KilledBy)
		}
	}
	return all
}

// try judges by the scenario that is named and, where that one does not fail,
// by all others.
func (r mutantRun) try(ctx context.Context, t task) proof.Kill {
	result := proof.Kill{Slug: t.Slug, Strategy: t.Strategy, Named: t.named, As: t.KilledAs}
	if err := r.judge(ctx, t, t.named, t.KilledAs, &result); err != nil {
		result.Problem = err.Error()
	}
	if t.Slug != "" && result.Judged() && len(result.KilledBy) == 0 {
		others := slices.DeleteFunc(slices.Clone(r.all),
			func(id string) bool { return slices.Contains(t.named, id) })
		err := r.judge(ctx, t, others, "", &result)
		result.Problem = "" // the scenario that is named has decided
		if err != nil {
			result.Reason = err.Error()
		}
	}
	return result
}

// judge runs scenarios in a process of their own, until they show the symptom or
// any if there is none, and adds what they found.
func (r mutantRun) judge(ctx context.Context, t task, ids []string, as trial.Symptom,
	result *proof.Kill) error {
	args := []string{"judge", "--strategy=" + t.Strategy, "--only=" + strings.Join(ids, ","),
		"--as=" + string(as), "--pace=" + r.pace.String(),
		"--seed=" + strconv.FormatUint(r.seed, 10), "--runtime=" + r.runtime, "--daemons=" +
			r.daemons, "--base-image=" + r.baseImage,
		"--cgroup-parent=" + r.cgroupParent}
	path, err := r.compile(ctx, t)
	if err != nil {
		return err
	}
	args = append(args, "--binary="+path)
	began := time.Now()
	run, err := proof.RunApart(ctx, filepath.Join(r.folder, cmp.Or(t.Slug, t.Strategy)), args,
		variable(""))
	if err != nil {
		return fmt.Errorf("judge: %w", err)
	}
	result.Add(run, time.Since(began))
	return nil
}

// compile gives the path of the ordinary build with the task's defect in it.
func (r mutantRun) compile(ctx context.Context, t task) (string, error) {
	if t.Slug == "" {
		return target.Find(ctx, target.Ordinary, r.daemons)
	}
	folder := filepath.Join(r.scratch, t.Slug)
	path := filepath.Join(folder, t.Slug)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, t.Compile(ctx, r.root, folder, path)
}

// mutantsTable and alarmsTable are the names of what mutants and alarms leave.
const (
	mutantsTable = "mutants.json"
	alarmsTable  = "alarms.json"
)

func (r mutantRun) concludeMutants() error {
	r.kills.Shard.Done = true
	if err := proof.Write(r.table(), r.kills); err != nil {
		return infrastructure(err)
	}
	return r.showKills(r.kills)
}

func (o options) showKills(all proof.Kills) error {
	if err := all.Table(o.out); err != nil {
		return infrastructure(err)
	}
	switch {
	case len(all.Kills) == 0 && all.Shard.Of > 1: // there were more shards than mutants
		return nil
	case all.Verdict() == trial.Pass:
		return nil
	case all.Verdict() == trial.Fail:
		return exit{exitFail, nil}
	}
	return exit{exitInfrastructure, nil} // the table has said why
}
