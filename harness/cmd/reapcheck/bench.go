package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/bench"
	"github.com/reapcheck/reapcheck/harness/machine"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
)

// benchFlags are those of bench.
type benchFlags struct {
	gateFlags
	parts []string
	quick bool
	// tier is that of the gate for each daemon; noGate for none.
	tier  string
	scale bench.Scale
}

func newBench() *cobra.Command {
	var o options
	var b benchFlags
	cmd := &cobra.Command{
		Use:   "bench [--binary PATH | --image REF] [flags] [-- ARGUMENT...]",
		Short: "measure what a daemon or a strategy costs, beside the machine's own limit",
		Long: `bench measures the reference daemon's strategies in many short turns: how many
commands per second over HTTP and with which latency, beside a C program that starts the
same commands without a server; threads, memory, open files and goroutines with
thousands of sleeps in flight; and what a great many commands leave behind.

With --binary or --image it measures your own daemon in the same way, beside the
reference daemon and the machine's own limit in the same turns. It then fails if an
answer was wrong or something was left behind. No rate is required.

It takes at most five minutes, unless --duration, --sleeps or --commands ask for more.
If a machine is too slow for that, it says so beforehand.

It leaves bench.json and bench.md below --results. It passes if every requirement is
met, fails if one is surely missed or an answer was wrong, and is inconclusive
if the machine was too noisy to say or something was not measured. Use it on
a machine that does nothing else.`,
		Example: `  reapcheck bench --quick
  reapcheck bench --binary ./mydaemon --dialect mine.yaml -- --listen 0.0.0.0:8080`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := b.resolve(cmd, args, &o); err != nil {
				return usage(err)
			}
			return o.runBench(cmd.Context(), b.scale, b.judged(b.tier))
		},
	}
	b.define(cmd, &o)
	return cmd
}

func (b *benchFlags) define(cmd *cobra.Command, o *options) {
	b.gateFlags.define(cmd)
	f := cmd.Flags()
	addRunFlags(f, o)
	f.Lookup("runtime").DefValue, o.runtime = "namespace", "namespace"
	f.StringSliceVar(&b.parts, "part", nil,
		"what to measure: rates, arrivals, sleeps, leaks (default all)")
	f.StringSliceVar(&b.scale.Strategies, "strategy", target.Strategies, "strategies to measure")
	f.DurationVar(&b.scale.Length, "duration", 90*time.Second, "how long the rates are measured")
	f.DurationVar(&b.scale.Turn, "turn", 150*time.Millisecond, "how long one turn lasts")
	f.IntSliceVar(&b.scale.Arrivals, "arrivals", nil,
		"how many requests come a second, a turn for each number "+
			"(default: shares of what each daemon reaches)")
	f.IntSliceVar(&b.scale.Sleeps, "sleeps", []int{1000, 3000, 6000},
		"how many sleeps are in flight, a turn for each number (your own daemon: 100,1000)")
	f.IntVar(&b.scale.Commands, "commands", 100_000,
		"how many commands to execute before the look at what they leave")
	f.StringVar(&b.tier, "gate", noGate,
		"also judge each daemon by a gate of this tier: quick or standard, or none")
	f.BoolVar(&b.quick, "quick", false,
		"a short run to see that it works: 10s, 1000 sleeps, 5000 commands; too short for "+
			"a verdict")
}

// resolve reads what is to be measured from the command line and the environment, and
// checks it.
func (b *benchFlags) resolve(cmd *cobra.Command, args []string, o *options) error {
	err := b.arguments(cmd, args)
	if err == nil {
		err = resolve(cmd, os.LookupEnv)
	}
	if err == nil {
		err = b.benched(cmd, o, &b.scale)
	}
	if err == nil {
		err = checkGateTier(b.tier)
	}
	if err == nil {
		err = resolveBench(cmd, o, &b.scale, b.parts, b.quick)
	}
	return err
}

// foreignSleeps are the numbers in flight that someone's own daemon is asked for.
var foreignSleeps = []int{100, 1000}

// benched takes someone's own daemon for the candidate, if one is given.
func (g *gateFlags) benched(cmd *cobra.Command, o *options, scale *bench.Scale) (err error) {
	switch {
	case g.url != "":
		return errors.New(
			"a daemon that runs already cannot be looked into: give --binary or --image")
	case g.driven.driver != "" || g.driven.exec != "":
		return errors.New(
			"a driver's own price would be taken for the daemon's: bench speaks by a --dialect")
	case g.binary == "" && g.image == "":
		return nil
	case cmd.Flags().Changed("strategy"):
		return errors.New(
			"--strategy is for a bench of the reference daemon: " +
				"give no --binary or --image with it")
	case g.image != "":
		o.runtime = "docker"
	}
	if o.candidate, err = g.target(); err != nil {
		return err
	}
	scale.Strategies = []string{bench.Candidate, "registry"}
	if !cmd.Flags().Changed("sleeps") {
		scale.Sleeps = foreignSleeps
	}
	return nil
}

// resolveBench checks the flags. --quick stands for the flags that are not given.
func resolveBench(cmd *cobra.Command, o *options, scale *bench.Scale, parts []string,
	quick bool) error {
	f := cmd.Flags()
	if !f.Changed("seed") {
		o.seed = newSeed()
	}
	if quick && !f.Changed("duration") {
		scale.Length = 10 * time.Second
	}
	if quick && !f.Changed("sleeps") {
		scale.Sleeps = []int{1000}
	}
	if quick && !f.Changed("commands") {
		scale.Commands = 5000
	}
	o.argv, o.out, o.progress = repeatLine(cmd, o.seed), cmd.OutOrStdout(), cmd.ErrOrStderr()
	o.asAsked = f.Changed("duration") || f.Changed("sleeps") || f.Changed("commands")
	return errors.Join(chooseParts(scale, parts), checkScale(*scale))
}

func chooseParts(scale *bench.Scale, names []string) error {
	scale.Parts = bench.Parts
	if len(names) == 0 {
		return nil
	}
	scale.Parts = nil
	for _, name := range names {
		part := bench.Part(name)
		if !slices.Contains(bench.Parts, part) {
			return fmt.Errorf("unknown part %q: choose from rates, arrivals, sleeps, leaks", name)
		}
		scale.Parts = append(scale.Parts, part)
	}
	return nil
}

func checkScale(scale bench.Scale) error {
	for _, s := range scale.Strategies {
		if s != bench.Candidate && !slices.Contains(target.Strategies, s) {
			return fmt.Errorf("unknown strategy %q: choose from %s", s,
				strings.Join(target.Strategies, ", "))
		}
	}
	switch {
	case len(scale.Strategies) == 0:
		return errors.New("--strategy names none")
	case scale.Turn < time.Millisecond || scale.Length < scale.Turn:
		return fmt.Errorf("turns of %v do not fit into %v", scale.Turn, scale.Length)
	case slices.ContainsFunc(scale.Arrivals, func(n int) bool { return n < 1 }):
		return errors.New("numbers of arrivals must be positive")
	case scale.Commands < 1 || slices.ContainsFunc(scale.Sleeps, func(n int) bool { return n < 1 }):
		return errors.New("numbers of commands and of sleeps must be positive")
	}
	return nil
}

// runBench leaves a report in a new result folder, whatever happens.
func (o options) runBench(ctx context.Context, scale bench.Scale, judged judge) error {
	progress := session.NewProgress(o.progress, isTerminal(o.progress))
	why, err := o.chooseRuntime(ctx)
	if errors.Is(err, machine.ErrChoice) {
		return usage(err)
	}
	folder, folderErr := o.newFolder("bench")
	if folderErr != nil {
		return o.unreported(folderErr)
	}
	report := bench.NewReport()
	if o.candidate.Binary != "" || o.candidate.Image != "" {
		report.Candidate = o.targetText()
	}
	report.Version, report.Runtime, report.Kernel, report.CPUs = versionText(), o.runtime,
		probe.Kernel(), runtime.NumCPU()
	report.Seed, report.Argv, report.Started, report.TurnMs = o.seed, o.argv, time.Now().UTC(),
		scale.Turn.Milliseconds()
	if err == nil {
		progress.Say("runtime %s%s, seed %d", o.runtime, why, o.seed)
		err = o.measure(ctx, scale, report, progress)
	}
	if err == nil && judged.tier != noGate {
		err = judged.gates(ctx, o, folder, scale.Strategies, report, progress)
	}
	if ctx.Err() != nil {
		err = interrupted(err)
	}
	if err != nil {
		report.Problem = err.Error()
	}
	report.TookMs = time.Since(report.Started).Milliseconds()
	if writeErr := report.Write(folder); writeErr != nil {
		return o.unreported(errors.Join(err, writeErr))
	}
	fmt.Fprintf(o.out, "%s\nresults: %s\nverdict: %v\n", report.Markdown(), folder, report.Verdict)
	return verdictStatus(report.Verdict, err)
}

// fitBench measures the machine and someone's own daemon, and shortens a bench of which no one
// has said how long it is to be.
func (o options) fitBench(ctx context.Context, b *bench.Bench, w workbench) error {
	pace, err := w.pace(ctx)
	if err != nil {
		return err
	}
	paces, err := b.Pace(ctx, pace.Command)
	if err != nil {
		return err
	}
	asked := b.Scale
	if !o.asAsked {
		b.Scale = asked.Fit(paces)
	}
	text := fmt.Sprintf("a command takes %v here", paces.Machine.Round(10*time.Microsecond))
	if paces.Candidate > 0 {
		text += fmt.Sprintf(", your daemon executes %.0f a second",
			float64(time.Second)/float64(paces.Candidate))
	}
	takes := b.Takes(paces)
	text += fmt.Sprintf(": expect about %v", roughly(takes))
	if b.Commands != asked.Commands || len(b.Sleeps) != len(asked.Sleeps) ||
		b.Length != asked.Length {
		text += fmt.Sprintf(", for rates of %v, sleeps of %v, and leaks of %d commands",
			b.Length, b.Sleeps, b.Commands)
	}
	if b.Compared != asked.Compared {
		text += fmt.Sprintf("; %d sleeps of what is shown for comparison", b.Compared)
	}
	if takes > bench.Limit && !o.asAsked {
		text += fmt.Sprintf("; that is too slow for a bench of %v", bench.Limit)
	}
	b.Progress.Say("%s", text)
	return nil
}

// measure brings up what the bench needs, and takes it down.
func (o options) measure(ctx context.Context, scale bench.Scale, report *bench.Report,
	progress *session.Progress) (err error) {
	w, takeDown, err := o.workbench(ctx, "bench", progress)
	defer func() { err = errors.Join(err, takeDown()) }()
	if err != nil {
		return err
	}
	if report.Before, err = bench.LookAtMachine(ctx); err != nil {
		return err
	}
	b := &bench.Bench{
		Scale:    scale,
		Runtime:  w.runtime,
		Daemon:   w.daemons[target.Ordinary],
		Target:   o.candidate,
		Hub:      w.hub,
		Seed:     w.seed,
		Progress: progress,
	}
	if err = o.fitBench(ctx, b, w); err != nil {
		return err
	}
	if !o.asAsked {
		b.Until = report.Started.Add(bench.Limit)
	}
	if err := b.Run(ctx, report); err != nil {
		return err
	}
	report.After, err = bench.LookAtMachine(ctx)
	return err
}
