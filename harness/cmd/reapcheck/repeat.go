package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
)

func newRepeat() *cobra.Command {
	return &cobra.Command{
		Use:   "repeat [RUN-FOLDER] SCENARIO",
		Short: "run one scenario again as it was run then",
		Long: `repeat runs one scenario of a run again, with the target, the seed, the tier, the
factor, the runtime and all other flags that are in the run.json of the run's folder,
but without its waivers. The default folder is results/latest.

Paths of files are relative, so call it in the folder in which the run was started.`,
		Example: `  reapcheck repeat reaper-wins
  reapcheck repeat results/20261128T085629Z-7 pid-reuse`,
		Args: named(1, 2, "a scenario, after a result folder or without one", "reaper-wins"),
		RunE: func(cmd *cobra.Command, args []string) error {
			folder := results.Latest("results")
			if len(args) > 1 {
				folder = args[0]
			}
			argv, notes, err := repeatArgv(folder, args[len(args)-1])
			for _, note := range notes {
				fmt.Fprintln(cmd.ErrOrStderr(), printable.Line(note))
			}
			if err != nil {
				return usage(err)
			}
			root := newRoot()
			root.SetArgs(argv)
			root.SetOut(cmd.OutOrStdout())
			root.SetErr(cmd.ErrOrStderr())
			return root.ExecuteContext(cmd.Context())
		},
	}
}

// repeatArgv are the arguments that run a scenario of a folder again, and what there is
// to say about it beforehand.
func repeatArgv(folder, scenario string) (argv, notes []string, err error) {
	run, err := results.Load(folder)
	if err != nil {
		return nil, nil, err
	}
	if v := versionText(); run.Info.Version != v {
		notes = append(notes, fmt.Sprintf("%s was made by reapcheck %s, and this is %s: its "+
			"commands may differ", folder, run.Info.Version, v))
	}
	var ids []string
	for _, s := range run.Info.Scenarios {
		ids = append(ids, s.ID)
	}
	if !slices.Contains(ids, scenario) {
		return nil, notes, fmt.Errorf("%s has no scenario %q: choose from %s", folder, scenario,
			strings.Join(ids, ", "))
	}
	argv = run.RepeatArgv(scenario)
	if len(run.Info.Argv) < 2 {
		return nil, notes, fmt.Errorf("the run.json of %s has no command line", folder)
	}
	if slices.ContainsFunc(argv, masked) {
		return nil, notes, errors.New("a secret was on the run's command line and is not in its " +
			"run.json: run it again by hand, with --only=" + scenario)
	}
	return argv[1:], notes, nil
}

// masked says whether a word of a command line hides a secret; see maskAll.
func masked(word string) bool {
	return word == mask || strings.HasSuffix(word, "="+mask) || strings.Contains(word, ":xxxxx@")
}
