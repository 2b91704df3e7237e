package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/machine"
)

func newDoctor() *cobra.Command {
	return &cobra.Command{
		Use: "doctor",
		Short: "say what this machine lacks to run sandboxes and scenarios, " +
			"and what to do about it",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			missing := 0
			out := cmd.OutOrStdout()
			for _, check := range machine.Diagnose(cmd.Context()) {
				mark := "ok"
				switch {
				case !check.OK && check.Required:
					mark = "MISSING"
					missing++
				case !check.OK:
					mark = "note"
				}
				fmt.Fprintf(out, "%-8s %s: %s\n", mark, check.Name, check.Detail)
				if !check.OK && check.Advice != "" {
					fmt.Fprintf(out, "%-8s %s\n", "", check.Advice)
				}
			}
			if missing > 0 {
				return infrastructure(errors.New(
					"this machine cannot run sandboxes yet; see the lines marked MISSING"))
			}
			return nil
		},
	}
}

func newSweep() *cobra.Command {
	return &cobra.Command{
		Use:   "sweep",
		Short: "remove what killed runs left behind; runs that are alive are not touched",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			swept, err := machine.Sweep(cmd.Context())
			if err != nil {
				return infrastructure(err)
			}
			fmt.Fprintf(cmd.OutOrStdout(),
				"removed %d containers, %d images and %d folders of dead runs\n", swept.Containers,
				swept.Images, swept.Folders)
			return nil
		},
	}
}
