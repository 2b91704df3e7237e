package main

import (
	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
	"github.com/reapcheck/reapcheck/scenarios"
)

// newJudge is how `mutants` judges one build: in a process of its own, since a
// Ginkgo suite runs once in a process.
func newJudge() *cobra.Command {
	o := options{
		stopAtFirstBad: true,
		blackBox:       true,
		scale:          session.Scale{Tier: session.Quick},
		waitPath:       session.Pidfd,
		level:          trial.Advice,
	}
	var ids []string
	var strategy, symptom string
	cmd := &cobra.Command{
		Use:    "judge",
		Short:  "judge one build of the reference daemon",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.scenarios, err = scenarios.Select(ids, scenarios.Outside); err != nil {
				return usage(err)
			}
			o.stopAs = trial.Symptom(symptom)
			o.argv = repeatLine(cmd, o.seed)
			o.candidate.Env = map[string]string{"DECK_STRATEGY": strategy}
			o.candidate.Dialect = dialect.ProcessExecute()
			o.out, o.progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.candidate.Binary, "binary", "", "the build")
	f.StringVar(&strategy, "strategy", "", "its strategy")
	f.StringVar(&symptom, "as", "", "the symptom that ends a scenario early (default any)")
	f.DurationVar(&o.pace.Command, "pace", 0,
		"what a command takes on this machine (default: measured)")
	f.StringSliceVar(&ids, "only", nil, "scenarios to run, by ID")
	addRunFlags(f, &o)
	return cmd
}
