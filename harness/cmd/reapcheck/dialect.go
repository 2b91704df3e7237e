package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/fixtures/targets"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/speaker"
	"github.com/reapcheck/reapcheck/harness/target"
)

func newDialect() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dialect",
		Short: "list, show and try dialects: how a target's execute endpoint is spoken",
		Long: `A dialect says how a target's execute endpoint is spoken: the path and the
request, where the exit code and the output stand in the answer, and the words
that stand in place of an exit code. To describe your own daemon:

  reapcheck dialect detect --url http://127.0.0.1:8080  # one may fit already
  reapcheck dialect show process-execute >mine.yaml   # then edit it
  reapcheck dialect check --url http://127.0.0.1:8080 --dialect mine.yaml
  reapcheck gate --binary ./mydaemon --dialect mine.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDialectList(), newDialectShow(), newDialectCheck(),
		newDialectDetect(),
		newSchema("print the JSON Schema of dialects, which says what each key means",
			targets.Schema))
	return cmd
}

func newDialectList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "list the dialects that come with the command",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, name := range dialect.BuiltIn() {
				text, err := dialect.Source(name)
				if err != nil {
					return infrastructure(err)
				}
				fmt.Fprintf(table, "%s\t%s\n", name, about(text))
			}
			return written(table.Flush())
		},
	}
}

// about is the first sentence of the comment that a dialect begins with.
func about(text []byte) string {
	var comment []string
	for line := range bytes.Lines(text) {
		rest, ok := strings.CutPrefix(string(line), "#")
		if !ok {
			break
		}
		comment = append(comment, strings.TrimSpace(rest))
	}
	sentence, _, _ := strings.Cut(strings.Join(comment, " "), ". ")
	return strings.TrimSuffix(sentence, ".")
}

func newDialectShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME|FILE",
		Short: "print a dialect, to copy and change it",
		Args:  named(1, 1, "a dialect's name or file", "process-execute"),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := dialect.Source(args[0])
			if err != nil {
				return usage(err)
			}
			_, err = cmd.OutOrStdout().Write(text)
			return written(err)
		},
	}
}

func newDialectCheck() *cobra.Command {
	var base, name string
	cmd := &cobra.Command{
		Use:   "check --url URL",
		Short: "ask a running target a few questions and show what was understood",
		Long: `check asks the target at --url a few questions in the dialect and shows what was
understood. It executes echo, pwd, printf, sleep, a program that does not exist, and
a shell that kills itself.

Exit status: 0 if every answer was the expected one, 1 if some were not, 2 if
the dialect does not fit at all, 3 if nothing listens there.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := target.Target{URL: strings.TrimSuffix(base, "/")}
			d, err := dialect.Load(name)
			if err = errors.Join(t.Check(), err); err != nil {
				return usage(err)
			}
			if d, err = d.Resolve(os.LookupEnv); err != nil {
				return usage(err)
			}
			return checkDialect(cmd.Context(), cmd.OutOrStdout(), t.URL, d)
		},
	}
	cmd.Flags().StringVar(&base, "url", "",
		"base URL of a target that runs, such as http://127.0.0.1:2280")
	cmd.Flags().StringVar(&name, "dialect", dialect.DefaultDialect,
		"name of a dialect, or a file that ends in .yaml")
	if err := cmd.MarkFlagRequired("url"); err != nil {
		panic(err)
	}
	return cmd
}

// checkDialect asks the target at base all questions, and shows its answers.
func checkDialect(ctx context.Context, out io.Writer, base string, d dialect.Dialect) error {
	fmt.Fprintf(out, "dialect %s at %s: %s\n", d.Name, base, d.Asked())
	if err := reachable(base); err != nil {
		return infrastructure(err)
	}
	asking := speaker.OverHTTP(base, d, 1, &http.Transport{})
	defer asking.Close()
	all := dialect.Try(ctx, d, asking)
	if ctx.Err() != nil {
		return exit{exitInconclusive, errInterrupted}
	}
	return showAttempts(out, d, all)
}

// dialLimit is far above what a connection takes.
const dialLimit = 5 * time.Second

// reachable says whether somebody listens, which the questions need not tell.
func reachable(base string) error {
	u, err := url.Parse(base)
	if err != nil {
		return err
	}
	network, address := "unix", u.Path
	if u.Scheme != network {
		network, address = "tcp", net.JoinHostPort(u.Hostname(), dialect.PortOf(u))
	}
	conn, err := net.DialTimeout(network, address, dialLimit)
	if err != nil {
		return fmt.Errorf("nothing answers at %s: %w; is the target running?", base, err)
	}
	return conn.Close()
}

// showAttempt shows what came. A wrong path is told of once, and not once for each question.
func showAttempt(w io.Writer, d dialect.Dialect, e, last dialect.Attempt) {
	switch {
	case e.OK:
		fmt.Fprintf(w, "%-8s %s: %s\n", "ok", e.Asked, e.Understood)
	case !last.OK && e.Came != "" && e.Came == last.Came:
		fmt.Fprintf(w, "%-8s %s: the same came\n", "differs", e.Asked)
	default:
		fmt.Fprintf(w, "%-8s %s: %s\n", "differs", e.Asked, e.Understood)
		fmt.Fprintf(w, "%-8s asked:  %s\n%-8s wanted: %s\n%-8s came:   %s\n", "", e.Script, "",
			e.Wanted, "", strings.TrimSpace(e.Came))
		if hint := e.Hint(d); hint != "" {
			fmt.Fprintf(w, "%-8s hint:   %s\n", "", hint)
		}
	}
}

// showAttempts shows the answer's text beside what was not as expected. It is the
// target's, and a terminal would obey what stands there.
func showAttempts(out io.Writer, d dialect.Dialect, all []dialect.Attempt) error {
	w := &strings.Builder{}
	// the exit status says as much
	defer func() { _, _ = io.WriteString(out, printable.Escape(w.String())) }()
	right, last := 0, dialect.Attempt{}
	for _, e := range all {
		if e.OK {
			right++
		}
		showAttempt(w, d, e, last)
		last = e
	}
	fmt.Fprintf(w, "%d of %d answers as expected\n", right, len(all))
	switch {
	case !dialect.Fits(all) && !d.OverHTTP():
		return exit{exitInconclusive, nil}
	case !dialect.Fits(all):
		fmt.Fprintln(w,
			"the dialect does not fit this target: "+
				"compare what came with its request.path and response.exitCode")
		return exit{exitInconclusive, nil}
	case right < len(all):
		return exit{exitFail, nil}
	}
	return nil
}
