package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/reapcheck/reapcheck/harness/bench"
	"github.com/reapcheck/reapcheck/harness/compare"
	"github.com/reapcheck/reapcheck/harness/proof"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// gates puts both sides through the gate, with the same seed, and sets the verdicts side
// by side. Their result folders are kept below the comparison's.
func (c *compareFlags) gates(ctx context.Context, o options, folder string, report *compare.Report,
	progress *session.Progress) error {
	if c.gate == noGate {
		report.LeftOut = append(report.LeftOut, "the gate's scenarios, by --gate=none")
		return nil
	}
	daemon, err := target.Find(ctx, target.Ordinary, o.daemons)
	if err != nil {
		return err
	}
	var runs [2]results.Run
	for i, of := range []side{c.a, c.b} {
		name := "gate-" + []string{"a", "b"}[i]
		if runs[i], err = of.gate(ctx, filepath.Join(folder, name), c.gate, daemon, o,
			progress); err != nil {
			return err
		}
	}
	report.Scenarios = compare.Scenarios(runs[0], runs[1])
	return nil
}

// noGate leaves the gates out.
const noGate = "none"

func checkGateTier(tier string) error {
	if _, err := session.ParseTier(tier); tier != noGate && err != nil {
		return fmt.Errorf("--gate %q is invalid: choose quick, standard or none", tier)
	}
	return nil
}

// gate runs a gate in a process of its own.
func (s side) gate(ctx context.Context, folder, tier, daemon string, o options,
	progress *session.Progress) (results.Run, error) {
	progress.Say("gate of %s", s)
	run, err := proof.RunApart(ctx, folder, s.gateArgs(tier, daemon, o), variable(""))
	if err == nil && run.Info.Problem != "" {
		err = errors.New(run.Info.Problem)
	}
	if err != nil {
		return run, fmt.Errorf("gate of %s: %w", s, err)
	}
	progress.Say("gate of %s: %v", s, run.Verdict)
	return run, nil
}

// gateArgs is the command line that judges a side. A strategy is judged as anybody's
// program is, so that it can be compared with one.
func (s side) gateArgs(tier, daemon string, o options) []string {
	args := []string{
		"gate", "--tier=" + tier, "--runtime=" + o.runtime, "--daemons=" + o.daemons,
		"--seed=" + strconv.FormatUint(o.seed, 10), "--base-image=" + o.baseImage,
		"--cgroup-parent=" + o.cgroupParent,
	}
	for _, assignment := range s.env {
		args = append(args, "--env="+assignment)
	}
	if s.target.Ours() {
		return append(args, "--binary="+daemon, "--env=DECK_STRATEGY="+s.target.Strategy)
	}
	if s.target.Image != "" {
		args = append(args, "--image="+s.target.Image)
	} else {
		args = append(args, "--binary="+s.target.Binary)
	}
	for _, arg := range s.target.Args {
		args = append(args, "--arg="+arg)
	}
	return append(args, "--dialect="+s.speaks)
}

// judge puts what a bench measures through the gate.
type judge struct {
	tier      string
	candidate side
}

// judged is how the daemon that is given is put through the gate.
func (g gateFlags) judged(tier string) judge {
	t, _ := g.target() // it has been resolved once
	return judge{tier, side{target: t, env: g.env, speaks: g.dialect}}
}

// gates adds a verdict for each daemon. One whose gate does not work is left out.
func (j judge) gates(ctx context.Context, o options, folder string, names []string,
	report *bench.Report, progress *session.Progress) error {
	daemon, err := target.Find(ctx, target.Ordinary, o.daemons)
	if err != nil {
		return err
	}
	for _, name := range names {
		of := side{target: target.Reference(name)}
		if name == bench.Candidate {
			of = j.candidate
		}
		run, err := of.gate(ctx, filepath.Join(folder, "gate-"+name), j.tier, daemon, o, progress)
		if ctx.Err() != nil {
			return err
		}
		if err != nil {
			report.LeftOut = append(report.LeftOut, err.Error())
			continue
		}
		report.Gates = append(report.Gates, gateOf(name, run))
	}
	return nil
}

func gateOf(name string, run results.Run) bench.Gate {
	g := bench.Gate{
		Contestant: name, Verdict: run.Verdict,
		Failed: []bench.GateFinding{}, Unproved: []bench.GateFinding{},
	}
	for _, f := range run.Findings {
		finding := bench.GateFinding{ID: f.ID, Reason: f.Reason}
		switch f.Verdict {
		case trial.Pass:
			g.Passed++
		case trial.Fail:
			g.Failed = append(g.Failed, finding)
		default:
			g.Unproved = append(g.Unproved, finding)
		}
	}
	return g
}
