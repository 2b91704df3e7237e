package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
)

// detectFlags are those of dialect detect.
type detectFlags struct {
	image, binary, url string
	args, env, headers []string
	json               bool
}

func newDialectDetect() *cobra.Command {
	var o options
	var f detectFlags
	cmd := &cobra.Command{
		Use:   "detect (--url URL | --binary PATH | --image REF) [flags] [-- ARGUMENT...]",
		Short: "find the dialect of a target among those that come with the command",
		Long: `detect asks a target in each dialect for one command, which prints two words and ends
with exit code 7, and says which dialects were understood. If several were, it asks all
questions of dialect check, and the dialect with the fewest wrong answers is the best. A
program or an image is started in a sandbox first, and asked wherever it listens.

  fits    an exit code was understood
  closed  the path is there, and needs a token or a name first
  near    the path is there, and the answer is a different one

No token of your environment is sent. detect names the tokens that a dialect needs; set
them for dialect check and gate. To send one to detect as well, give --header.

Exit status: 0 if a dialect fits as it is, 1 if one fits when what is named is filled in,
or several fit equally, 2 if none fits, 3 if nothing there speaks HTTP.`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.out, o.progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
			f.args = append(f.args, args...)
			return f.run(cmd.Context(), o)
		},
	}
	f.define(cmd, &o)
	return cmd
}

func (f *detectFlags) define(cmd *cobra.Command, o *options) {
	fs := cmd.Flags()
	fs.StringVar(&f.url, "url", "", "ask the target that runs at this base `URL`")
	fs.StringVar(&f.binary, "binary", "", "start the program at `PATH`, and ask it")
	fs.StringVar(&f.image, "image", "", "start the container image `REF`, and ask it")
	fs.StringArrayVar(&f.args, "arg", nil, "one `ARGUMENT` of the target; the same as after --")
	fs.StringArrayVar(&f.env, "env", nil, "`NAME=VALUE` for the target; can be given many times")
	fs.StringArrayVar(&f.headers, "header", nil, "send `NAME:VALUE` with each request")
	fs.BoolVar(&f.json, "json", false, "print JSON")
	addRunFlags(fs, o)
	for _, unused := range []string{"results", "seed"} {
		if err := fs.MarkHidden(unused); err != nil {
			panic(err)
		}
	}
}

func (f *detectFlags) run(ctx context.Context, o options) error {
	headers, err := f.header()
	if err == nil {
		o.candidate, err = f.target()
	}
	if err != nil {
		return usage(err)
	}
	all, err := o.detect(ctx, headers)
	switch {
	case ctx.Err() != nil:
		return exit{exitInconclusive, errInterrupted}
	case err != nil:
		return infrastructure(err)
	case f.json:
		err = json.NewEncoder(o.out).Encode(all)
	default:
		_, err = io.WriteString(o.out, printable.Escape(detectedText(all)))
	}
	if err != nil {
		return infrastructure(err)
	}
	return detectedStatus(all)
}

func (f *detectFlags) header() (map[string]string, error) {
	headers := map[string]string{}
	for _, h := range f.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok || name == "" {
			return nil, errors.New("--header is NAME:VALUE")
		}
		headers[name] = strings.TrimSpace(value)
	}
	return headers, nil
}

func (f *detectFlags) target() (target.Target, error) {
	env, err := environment(f.env)
	if err != nil {
		return target.Target{}, err
	}
	t := target.Target{Image: f.image, Binary: f.binary, URL: strings.TrimSuffix(f.url, "/"),
		Args: f.args, Env: env}
	return t, errors.Join(t.Check(), executable(t.Binary))
}

// detect tries the candidate, in a runtime of its own where it does not run already.
func (o options) detect(ctx context.Context, headers map[string]string) (
	all []detected, err error) {
	if o.candidate.URL != "" {
		return atURL(ctx, o.candidate.URL, headers)
	}
	progress := session.NewProgress(o.progress, isTerminal(o.progress))
	if _, err := o.chooseRuntime(ctx); err != nil {
		return nil, err
	}
	rt, err := o.prepare(ctx, "detect", nil, progress)
	if err != nil {
		return nil, err
	}
	defer closeRuntime(ctx, rt, progress)
	return inSandbox(ctx, rt, o.candidate, headers)
}

// detectedText is for people.
func detectedText(all []detected) string {
	var w strings.Builder
	for _, found := range all {
		fmt.Fprintf(&w, "at %s\n", found.Where)
		if found.Problem != "" {
			fmt.Fprintf(&w, "  %s\n", found.Problem)
			continue
		}
		apart := 0
		table := tabwriter.NewWriter(&w, 0, 0, 2, ' ', 0)
		for _, g := range found.Dialects {
			if g.Match == dialect.MatchApart {
				apart++
				continue
			}
			fmt.Fprintf(table, "  %s\t%s\t%s\n", g.Match, g.Dialect, oneLine(guessText(g)))
		}
		_ = table.Flush() // to memory
		others := ""
		if apart < len(found.Dialects) {
			others = "others "
		}
		fmt.Fprintf(&w, "  %d %sdo not fit\n", apart, others)
	}
	fmt.Fprintln(&w, advice(all))
	return w.String()
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func guessText(g dialect.Guess) string {
	text := g.Why
	if g.Asked > 0 {
		text += fmt.Sprintf("; %d of %d answers as expected", g.Right, g.Asked)
	}
	if len(g.FillIn) > 0 {
		text += "; fill in " + strings.Join(g.FillIn, ", ")
	}
	return text
}

// advice is what to do next, in a sentence.
func advice(all []detected) string {
	const own = "describe it in a dialect of your own: reapcheck dialect show process-execute " +
		">mine.yaml, edit it, and try it with dialect check; see docs/dialects.md"
	best := bestOf(all)
	switch {
	case best != nil && len(best.FillIn) == 0:
		return fmt.Sprintf("the dialect %s fits: give --dialect %[1]s", best.Dialect)
	case best != nil:
		return fmt.Sprintf("the dialect %s fits with %s: begin with reapcheck dialect show %[1]s",
			best.Dialect, strings.Join(best.FillIn, ", "))
	}
	var alike, closed []string
	spoken, guarded := false, false
	for _, found := range all {
		spoken = spoken || found.Problem == ""
		guarded = guarded || dialect.Guarded(found.Dialects)
		for _, g := range found.Dialects {
			switch g.Match {
			case dialect.MatchFits:
				alike = append(alike, g.Dialect)
			case dialect.MatchClosed:
				closed = append(closed, g.Dialect)
			}
		}
	}
	switch {
	case len(alike) > 0:
		return fmt.Sprintf("%s fit equally: choose one by reapcheck dialect check",
			strings.Join(alike, ", "))
	case len(closed) > 0:
		return fmt.Sprintf("%s may fit: fill in what is named, and try reapcheck dialect check",
			strings.Join(closed, ", "))
	case guarded:
		return "every path asks for a token first: give it with dialect detect --header NAME:VALUE"
	case !spoken:
		return "nothing there speaks HTTP: write a driver, see docs/drivers.md"
	}
	return "no built-in dialect fits: " + own
}

// bestOf is the best of all places; nil where there is none.
func bestOf(all []detected) *dialect.Guess {
	for _, found := range all {
		if found.Best != "" {
			return &found.Dialects[0]
		}
	}
	return nil
}

func detectedStatus(all []detected) error {
	spoken := slices.ContainsFunc(all, func(d detected) bool { return d.Problem == "" })
	some := slices.ContainsFunc(all, func(d detected) bool {
		return slices.ContainsFunc(d.Dialects, func(g dialect.Guess) bool {
			return g.Match == dialect.MatchFits || g.Match == dialect.MatchClosed
		})
	})
	guarded := slices.ContainsFunc(all,
		func(d detected) bool { return dialect.Guarded(d.Dialects) })
	switch best := bestOf(all); {
	case best != nil && len(best.FillIn) == 0:
		return nil
	case some || guarded:
		return exit{exitFail, nil}
	case spoken:
		return exit{exitInconclusive, nil}
	}
	return exit{exitInfrastructure, nil}
}
