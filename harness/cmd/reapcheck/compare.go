package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/bench"
	"github.com/reapcheck/reapcheck/harness/compare"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/machine"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
)

// compareFlags are those that only compare has.
type compareFlags struct {
	tolerate          string
	gate              string
	dialect, dialectB string
	args              []string
	env, envA, envB   []string
	rounds, inFlight  int
	commands          int
	turn              time.Duration
	a, b              side
	tolerated         float64
}

// side is one side of a comparison.
type side struct {
	text   string
	target target.Target
	folder string // of an old run; empty where a target is measured
	env    []string
	speaks string
}

func newCompare() *cobra.Command {
	var o options
	var c compareFlags
	cmd := &cobra.Command{
		Use: "compare A B [flags] [-- ARGUMENT...]",
		Short: "judge two builds of a daemon: faster, slower, leakier, " +
			"or the same within the noise",
		Long: `compare measures two daemons in turn in one run and judges B by A: executions per
second, p50 and p99, CPU time, memory, and what commands leave behind. A and B are
each a program's path, image:REF, or a strategy of the reference daemon. Each round
starts fresh instances, two of A and two of B. What A shows against itself is the
noise, and a change counts when it is larger than that.

The gate then judges each side, and compare says which failures were mended, are new or
are the same. --gate=none leaves that out.

A and B can also be two result folders of earlier runs or benches.

It leaves compare.md (for a job summary), compare.html and compare.json below
--results.

Exit status: 0 B is not shown to be worse, 1 it is worse by more than --tolerate, or
leaks, or fails a scenario that A passes, 2 nothing is proved, 3 infrastructure, 64
usage.`,
		Example: `  reapcheck compare ./daemon-main ./daemon-pr --tolerate 5%
  reapcheck compare registry subscribed --gate=none
  reapcheck compare image:my/daemon:1 image:my/daemon:2 --dialect mine.yaml
  reapcheck compare results/20260101T000000Z-a results/20260102T000000Z-b`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.resolve(cmd, &o, args); err != nil {
				return usage(err)
			}
			return c.run(cmd.Context(), o)
		},
	}
	c.define(cmd, &o)
	return cmd
}

func (c *compareFlags) define(cmd *cobra.Command, o *options) {
	f := cmd.Flags()
	addRunFlags(f, o)
	f.Lookup("runtime").DefValue, o.runtime = "namespace", "namespace"
	f.StringVar(&c.tolerate, "tolerate", "5%", "how much worse B may be")
	f.StringVar(&c.gate, "gate", string(session.Quick),
		"tier of the two gates, quick or standard, or none to leave them out")
	f.StringVar(&c.dialect, "dialect", dialect.DefaultDialect,
		"how both are spoken to: a `NAME`, or a file that ends in .yaml")
	f.StringVar(&c.dialectB, "dialect-b", "", "how B is spoken to, if differently")
	f.StringArrayVar(&c.args, "arg", nil, "one `ARGUMENT` of both; the same as after --")
	f.StringArrayVar(&c.env, "env", nil, "`NAME=VALUE` for both, or NAME to pass on your own")
	f.StringArrayVar(&c.envA, "env-a", nil, "`NAME=VALUE` for A alone")
	f.StringArrayVar(&c.envB, "env-b", nil, "`NAME=VALUE` for B alone")
	f.IntVar(&c.rounds, "rounds", 20, "how many rounds, each with fresh instances")
	f.IntVar(&c.inFlight, "in-flight", 8, "how many requests are in flight")
	f.DurationVar(&c.turn, "turn", 150*time.Millisecond, "how long one turn lasts")
	f.IntVar(&c.commands, "commands", 10_000,
		"how many commands each executes for the look at leaks; 0 leaves the look out")
}

func (c *compareFlags) resolve(cmd *cobra.Command, o *options, args []string) (err error) {
	if n := cmd.ArgsLenAtDash(); n >= 0 {
		c.args, args = append(c.args, args[n:]...), args[:n]
	}
	if len(args) != 2 {
		return fmt.Errorf("compare takes two sides, A and B, not %d", len(args))
	}
	if err := resolve(cmd, os.LookupEnv); err != nil {
		return err
	}
	if !cmd.Flags().Changed("seed") {
		o.seed = newSeed()
	}
	o.argv = repeatLine(cmd, o.seed, args...)
	o.out, o.progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
	if c.tolerated, err = parseShare(c.tolerate); err != nil {
		return fmt.Errorf("--tolerate %w", err)
	}
	if err := checkGateTier(c.gate); err != nil {
		return err
	}
	if c.rounds < compare.Fewest {
		return fmt.Errorf("--rounds %d are too few to say anything: choose at least %d", c.rounds,
			compare.Fewest)
	}
	if c.inFlight < 1 || c.commands < 0 || c.turn < time.Millisecond {
		return errors.New(
			"--in-flight and --turn must be positive, and --commands not negative")
	}
	return c.resolveSides(args[0], args[1], o)
}

// resolveSides finds out what A and B are.
func (c *compareFlags) resolveSides(a, b string, o *options) error {
	c.a = side{text: a, env: append(c.env, c.envA...), speaks: c.dialect}
	c.b = side{text: b, env: append(c.env, c.envB...), speaks: c.dialect}
	if c.dialectB != "" {
		c.b.speaks = c.dialectB
	}
	if err := errors.Join(c.a.resolve(c.args), c.b.resolve(c.args)); err != nil {
		return err
	}
	if (c.a.folder == "") != (c.b.folder == "") {
		return errors.New("one side is a result folder and the other is not: give two of a kind")
	}
	if c.a.target.Image != "" || c.b.target.Image != "" {
		o.runtime = "docker"
	}
	return nil
}

// parseShare reads 5% and 0.05.
func parseShare(text string) (float64, error) {
	number, percent := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || v < 0 || v != v {
		return 0, fmt.Errorf("%q is invalid: write a share such as 5%%", text)
	}
	if percent {
		v /= 100
	}
	return v, nil
}

// imagePrefix tells an image from a path.
const imagePrefix = "image:"

func (s *side) resolve(args []string) error {
	env, err := environment(s.env)
	if err != nil {
		return err
	}
	for _, strategy := range target.Strategies {
		if s.text == strategy {
			s.target = target.Reference(strategy)
			s.target.Env = env
			return nil
		}
	}
	image, isImage := strings.CutPrefix(s.text, imagePrefix)
	if about, err := os.Stat(s.text); !isImage && err == nil && about.IsDir() {
		s.folder = s.text
		return nil
	}
	g := gateFlags{dialect: s.speaks, args: args, env: s.env}
	if isImage {
		g.image = image
	} else {
		g.binary = s.text
	}
	if s.target, err = g.target(); err != nil {
		return fmt.Errorf("%s is not a strategy, image:REF, result folder or program: %w",
			s.text, err)
	}
	return nil
}

// String is what the report calls it.
func (s side) String() string {
	shown := s.target
	shown.Args = maskArguments(shown.Args)
	text := shown.String()
	if len(s.env) > 0 {
		text += " with " + strings.Join(maskEach(s.env, maskVariable), " ")
	}
	return text
}

func (c *compareFlags) run(ctx context.Context, o options) error {
	progress := session.NewProgress(o.progress, isTerminal(o.progress))
	if c.a.folder != "" {
		report, err := compare.Folders(c.a.folder, c.b.folder, c.tolerated)
		if err != nil {
			return usage(err)
		}
		return o.concludeCompare("", report, nil)
	}
	why, err := o.chooseRuntime(ctx)
	if errors.Is(err, machine.ErrChoice) {
		return usage(err)
	}
	folder, folderErr := o.newFolder("compare")
	if folderErr != nil {
		return o.unreported(folderErr)
	}
	report := compare.NewReport()
	report.A, report.B, report.Tolerate = c.a.String(), c.b.String(), c.tolerated
	report.Runtime, report.Kernel, report.CPUs = o.runtime, probe.Kernel(), runtime.NumCPU()
	report.Seed, report.Started = o.seed, time.Now().UTC()
	if err == nil {
		progress.Say("runtime %s%s, seed %d", o.runtime, why, o.seed)
		err = c.measure(ctx, o, report, progress)
	}
	if err == nil {
		err = c.gates(ctx, o, folder, report, progress)
	}
	if ctx.Err() != nil {
		err = interrupted(err)
	}
	return o.concludeCompare(folder, report, err)
}

// concludeCompare judges and leaves the report in folder; without one, in a new folder.
func (o options) concludeCompare(folder string, report *compare.Report, problem error) (err error) {
	if folder == "" {
		if folder, err = o.newFolder("compare"); err != nil {
			return o.unreported(err)
		}
		report.Started = time.Now().UTC()
	}
	if problem != nil {
		report.Problem = problem.Error()
	}
	report.Version, report.Argv = versionText(), o.argv
	report.TookMs = time.Since(report.Started).Milliseconds()
	report.Judge()
	if err := report.Write(folder); err != nil {
		return o.unreported(errors.Join(problem, err))
	}
	fmt.Fprintf(o.out, "%s\nresults: %s\nverdict: %v\n", report.Markdown(), folder, report.Verdict)
	return verdictStatus(report.Verdict, problem)
}

// measure brings up what the duel needs, and takes it down.
func (c *compareFlags) measure(ctx context.Context, o options, report *compare.Report,
	progress *session.Progress) (err error) {
	w, takeDown, err := o.workbench(ctx, "compare", progress)
	defer func() { err = errors.Join(err, takeDown()) }()
	if err != nil {
		return err
	}
	duel := &bench.Duel{
		Bench: bench.Bench{
			Scale:   bench.Scale{Turn: c.turn, Commands: c.commands},
			Runtime: w.runtime, Daemon: w.daemons[target.Ordinary], Hub: w.hub, Seed: w.seed,
			Progress: progress,
		},
		A: c.a.target, B: c.b.target, Rounds: c.rounds, InFlight: c.inFlight,
	}
	pace, err := w.pace(ctx)
	if err != nil {
		return err
	}
	progress.Say("a command takes %v here and a sandbox starts in %v: expect about %v",
		pace.Command.Round(10*time.Microsecond), pace.Start.Round(time.Millisecond),
		roughly(duel.Takes(pace.Command, pace.Start)))
	return duel.Fight(ctx, report)
}
