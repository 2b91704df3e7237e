package main

import "github.com/spf13/cobra"

// newSchema is the command that prints a JSON Schema.
func newSchema(short string, text []byte) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := cmd.OutOrStdout().Write(text)
			return written(err)
		},
	}
}
