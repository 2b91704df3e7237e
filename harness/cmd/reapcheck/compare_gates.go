package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/reapcheck/reapcheck/harness/compare"
	"github.com/reapcheck/reapcheck/harness/proof"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
)

// gates puts both sides through the gate, with the same seed, and sets the verdicts side
// by side. Their result folders are kept below the comparison's.
func (c *compareFlags) gates(ctx context.Context, o options, folder string, report *compare.Report,
	progress *session.Progress) error {
	if c.gate == "none" {
		report.LeftOut = append(report.LeftOut, "the gate's scenarios, by --gate=none")
		return nil
	}
	daemon, err := target.Find(ctx, target.Ordinary, o.daemons)
	if err != nil {
		return err
	}
	var runs [2]results.Run
	for i, side := range []contender{c.a, c.b} {
		name := []string{"a", "b"}[i]
		progress.Say("gate of %s", side)
		run, err := proof.RunApart(ctx, filepath.Join(folder, "gate-"+name),
			side.gateArgs(c.gate, daemon, o), variable(""))
		if err != nil {
			return fmt.Errorf("gate of %s: %w", side, err)
		}
		if run.Info.Problem != "" {
			return fmt.Errorf("gate of %s: %w", side, errors.New(run.Info.Problem))
		}
		progress.Say("gate of %s: %v", side, run.Verdict)
		runs[i] = run
	}
	report.Scenarios = compare.Scenarios(runs[0], runs[1])
	return nil
}

// gateArgs is the command line that judges a side. A strategy is judged as anybody's
// program is, so that it can be compared with one.
func (s contender) gateArgs(tier, daemon string, o options) []string {
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
