package main

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/reapcheck/reapcheck/harness/report"
	"github.com/reapcheck/reapcheck/harness/results"
)

func newReport() *cobra.Command {
	var schema string
	cmd := &cobra.Command{
		Use:   "report DIR",
		Short: "judge a result folder again, and rewrite its reports",
		Long: `report reads the recordings of a result folder, judges them, and writes
verdict.json, report.md, report.html and junit.xml again. The recordings are not
changed. --schema says what each property of a result file means, and each key of
the file for gate --waivers.

For a CI job summary: reapcheck report DIR; cat DIR/report.md >>"$GITHUB_STEP_SUMMARY"`,
		Args: func(cmd *cobra.Command, args []string) error {
			if schema != "" {
				return cobra.NoArgs(cmd, args)
			}
			return named(1, 1, "a result folder", results.Latest("results"))(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if schema != "" {
				return printSchema(cmd.OutOrStdout(), schema)
			}
			return options{out: cmd.OutOrStdout(), progress: cmd.ErrOrStderr()}.report(args[0])
		},
	}
	cmd.Flags().StringVar(&schema, "schema", "",
		"print the JSON Schema of a `KIND` of file instead: "+strings.Join(results.SchemaKinds(),
			", "))
	return cmd
}

// report judges a result folder again and shows what it comes to.
func (o options) report(folder string) error {
	run, err := results.Load(folder)
	if errors.Is(err, results.ErrNoRun) {
		return usage(err)
	}
	if err == nil {
		err = writeReports(folder, run)
	}
	if err != nil {
		return o.unreported(err)
	}
	if err := report.Table(o.out, run, tableStyle(o.out)); err != nil {
		return infrastructure(err)
	}
	return verdictStatus(run.Verdict, nil)
}

func printSchema(w io.Writer, kind string) error {
	text, err := results.Schema(kind)
	if err != nil {
		return usage(err)
	}
	_, err = w.Write(text)
	return written(err)
}

// writeReports leaves the verdict and all that is drawn of a run in its folder.
func writeReports(folder string, run results.Run) error {
	if err := results.WriteVerdict(folder, run); err != nil {
		return err
	}
	return report.Write(folder, run)
}

// tableStyle fits the table to where it is written. Colours are for terminals,
// unless NO_COLOR says no (https://no-color.org).
func tableStyle(w io.Writer) report.Style {
	if !isTerminal(w) {
		return report.Style{}
	}
	width, _, err := term.GetSize(int(w.(*os.File).Fd()))
	if err != nil {
		width = 0
	}
	return report.Style{
		Colour: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		Width:  width,
	}
}
