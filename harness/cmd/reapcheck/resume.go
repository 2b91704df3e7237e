package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// restore gives each flag that the command line leaves out the value that it had in the
// run that --resume names.
func restore(cmd *cobra.Command) error {
	folder, err := cmd.Flags().GetString("resume")
	if err != nil || folder == "" {
		return err
	}
	info, err := results.ReadInfo(folder)
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	if len(info.Argv) < 2 || info.Argv[1] != cmd.Name() {
		return fmt.Errorf("resume: %s is not the folder of a run of %s", folder, cmd.Name())
	}
	given := map[string]bool{}
	for _, name := range flagNames(info.Argv) {
		given[name] = cmd.Flags().Changed(name)
	}
	for i, word := range info.Argv[2:] {
		if word == "--" {
			return restoreRest(cmd, info.Argv[2+i+1:])
		}
		name, value, _ := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		if given[name] {
			continue
		}
		if masked(word) {
			return fmt.Errorf("resume: the run had a secret as --%s: give it again", name)
		}
		if err := cmd.Flags().Set(name, value); err != nil {
			return fmt.Errorf("resume: --%s: %w", name, err)
		}
	}
	return nil
}

func flagNames(argv []string) []string {
	var names []string
	for _, word := range argv {
		if word == "--" {
			break
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		names = append(names, name)
	}
	return names
}

// restoreRest takes the arguments of the target.
func restoreRest(cmd *cobra.Command, words []string) error {
	if cmd.Flags().Changed("arg") {
		return nil
	}
	for _, word := range words {
		if err := cmd.Flags().Set("arg", word); err != nil {
			return fmt.Errorf("resume: %w", err)
		}
	}
	return nil
}

// takeUp makes info that of the run that is resumed, if it is one of the same plan.
func (o options) takeUp(info *results.Info) error {
	before, err := results.ReadInfo(o.resume)
	if err != nil {
		return fmt.Errorf("resume: %w", err)
	}
	if info.Factor == 0 {
		info.Factor = before.Factor
	}
	if before.Factor != 0 && !samePart(*info, before) {
		what := info.Differs(before)
		if what == "" {
			what = "scenarios or shard"
		}
		return fmt.Errorf("resume %s: this run differs from it: %s", o.resume, what)
	}
	info.Run, info.Argv, info.Settings = filepath.Base(o.resume), before.Argv, before.Settings
	info.Resumed = append(before.Resumed, info.Started)
	info.Started = before.Started
	return nil
}

// undecided are the scenarios that are still to be run: all, or of a run that is
// resumed those that were cut, whose folders are removed.
func (o options) undecided(folder string, all []trial.Scenario) ([]trial.Scenario, error) {
	if o.resume == "" {
		return all, nil
	}
	run, err := results.Load(folder)
	if err != nil {
		return nil, fmt.Errorf("resume: %w", err)
	}
	var left []trial.Scenario
	for _, f := range run.Findings {
		if f.Verdict != trial.Inconclusive {
			continue
		}
		left = append(left, f.Scenario)
		if err := os.RemoveAll(filepath.Join(folder, f.ID)); err != nil {
			return nil, fmt.Errorf("resume: %w", err)
		}
	}
	return left, nil
}
