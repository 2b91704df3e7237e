package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
	"github.com/reapcheck/reapcheck/scenarios"
)

func newRepro() *cobra.Command {
	var o options
	var c common
	var strategy string
	cmd := &cobra.Command{
		Use:   "repro",
		Short: "show the race on the reaper-only daemon and its absence in the fixed one",
		Long: `repro runs the reference daemon in sandboxes, injects reaper delays and storms of
requests, and compares the strategy under test with a baseline that is known to
lose exit codes. Every trial is recorded below --results; the verdict is the
last line printed.`,
		Example: `  reapcheck repro --tier quick
  reapcheck repro --only reaper-wins,storm
  reapcheck repro --strategy documented --runtime namespace`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := resolveRepro(cmd, &c, &o, strategy); err != nil {
				return usage(err)
			}
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	// Whoever types `make repro` wants to see what this is about, in a minute.
	// The reference daemon is held to all that it promises.
	c.define(f, &o, session.Quick, trial.Advice)
	f.StringVar(&strategy, "strategy", "registry",
		"strategy under test: "+strings.Join(target.Strategies, ", "))
	f.BoolVar(&o.blackBox, "black-box", false, "use ordinary builds only, and inject from outside")
	return cmd
}

func resolveRepro(cmd *cobra.Command, c *common, o *options, strategy string) error {
	if err := c.resolve(cmd, o); err != nil {
		return err
	}
	if !slices.Contains(target.Strategies, strategy) {
		return fmt.Errorf("unknown strategy %q: choose from %s", strategy,
			strings.Join(target.Strategies, ", "))
	}
	o.candidate = target.Reference(strategy)
	if o.blackBox {
		return c.choose(o, scenarios.Outside)
	}
	return c.choose(o, scenarios.Inside)
}
