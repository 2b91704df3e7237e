package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	api "github.com/reapcheck/reapcheck/driver"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/driver"
	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
)

func newDriver() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "driver",
		Short: "try drivers: programs that speak to a target to which no dialect can",
		Long: `A driver is a program that asks a target to execute commands. It is for targets that
speak gRPC, SSH or a framing of their own, or that need an SDK. The gate starts it and
speaks JSON Lines with it on its standard input and output; docs/drivers.md says how. In
Go, with the package github.com/reapcheck/reapcheck/driver, you write one function.

  reapcheck driver schema                                # the messages, as JSON Schema
  reapcheck driver check --driver './mydriver' --url tcp://127.0.0.1:7070
  reapcheck gate --binary ./mydaemon --driver './mydriver' --port 7070`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDriverCheck(),
		newSchema("print the JSON Schema of the messages between the gate and a driver",
			api.Schema))
	return cmd
}

func newDriverCheck() *cobra.Command {
	var line, base string
	cmd := &cobra.Command{
		Use:   "check --driver COMMAND [--url URL]",
		Short: "have a driver ask a running target a few questions and show what came",
		Long: `check starts the driver as the gate would, and lets it ask a running target a few
questions. The driver gets --url with its host and port, whatever the scheme. If it
knows where its target is, leave out --url. It executes echo, pwd, printf, sleep, cat,
a program that does not exist, and a shell that kills itself.

Exit status: 0 if every answer was the expected one, 1 if some were not, 2 if there was no
exit code at all, 3 if the driver itself does not work.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := words("driver", line)
			if err != nil {
				return usage(err)
			}
			return checkDriver(cmd, target.Target{Driver: all, URL: strings.TrimSuffix(base, "/")})
		},
	}
	cmd.Flags().StringVar(&line, "driver", "", "`COMMAND` line of the driver")
	cmd.Flags().StringVar(&base, "url", "", "where the target is, such as tcp://127.0.0.1:7070")
	if err := cmd.MarkFlagRequired("driver"); err != nil {
		panic(err)
	}
	return cmd
}

func checkDriver(cmd *cobra.Command, t target.Target) error {
	p, err := driver.Start(cmd.Context(), t.Driver, driver.In(urlOnly{url: t.URL}), 1)
	if err != nil {
		return infrastructure(err)
	}
	hello := p.Hello()
	d := driver.Dialect(hello, 0)
	fmt.Fprintf(cmd.OutOrStdout(), "driver %s can %s\n", hello.Name, strings.Join(hello.Can, ", "))
	all := dialect.Try(cmd.Context(), d, p)
	all = append(all, p.Try(cmd.Context())...)
	if err := p.Close(); err != nil {
		return infrastructure(err)
	}
	if said := p.Stderr(); said != "" && p.Problem() == nil { // a problem says it itself
		fmt.Fprintf(cmd.ErrOrStderr(), "the driver wrote on standard error:\n%s\n",
			printable.Escape(said))
	}
	switch {
	case cmd.Context().Err() != nil:
		return exit{exitInconclusive, errInterrupted}
	case p.Problem() != nil:
		return infrastructure(p.Problem())
	}
	err = showAttempts(cmd.OutOrStdout(), d, all)
	if errors.Is(err, exit{exitInconclusive, nil}) {
		fmt.Fprintln(cmd.ErrOrStderr(),
			"no exit code came: is the target running, and does the driver find it?")
	}
	return err
}

// urlOnly is a place of which nothing but a URL is known.
type urlOnly struct {
	sandbox.Sandbox
	url string
}

func (u urlOnly) URL() string { return u.url }
func (urlOnly) PID() int      { return 0 }
