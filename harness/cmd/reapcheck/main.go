// Reapcheck tests whether a PID 1 daemon returns the right exit code for every command
// that it runs, and checks in the same run that the test can fail.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Exit statuses. make and `go run` swallow them, so the verdict of a run is also the
// last line that it prints, and in its verdict.json or bench.json.
const (
	exitPass           = 0
	exitFail           = 1
	exitInconclusive   = 2
	exitInfrastructure = 3
	exitUsage          = 64 // EX_USAGE of sysexits(3)
)

// version and commit are set by make; a build from a module knows its own.
var version, commit string

// oneSignal is longer than a signal takes from one process to the next, and shorter
// than a person takes to press the keys again on purpose.
const oneSignal = 500 * time.Millisecond

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), sandbox.Interrupts()...)
	// A second signal ends the process as it would any other. What comes at once is the
	// first one again: a terminal interrupts its whole foreground group, and mutants and
	// alarms hand it on to their runs.
	context.AfterFunc(ctx, func() { time.AfterFunc(oneSignal, stop) })
	// Whoever reads the output may have seen enough, as head(1). The run goes on to its end then,
	// and takes down what it started: package os/signal says that a program that asks for SIGPIPE
	// gets EPIPE instead. Nobody reads the channel, since a client's socket that is broken
	// brings the same signal.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	cmd, err := newRoot().ExecuteContextC(ctx)
	stop()
	os.Exit(exitStatus(cmd.CommandPath(), err))
}

// exit is an error that carries its exit status. Its cause is printed unless
// it is nil: a verdict has been printed already.
type exit struct {
	status int
	cause  error
}

func (e exit) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.cause.Error()
}

func (e exit) Unwrap() error { return e.cause }

func usage(err error) error          { return exit{exitUsage, err} }
func infrastructure(err error) error { return exit{exitInfrastructure, err} }

// written is the error of a command that only prints; nil for nil.
func written(err error) error {
	if err == nil {
		return nil
	}
	return infrastructure(err)
}

// exitStatus prints what is still to be said of an error. An error without a
// status of its own comes from the flag parser.
func exitStatus(command string, err error) int {
	if err == nil {
		return exitPass
	}
	e := exit{exitUsage, err}
	_ = errors.As(err, &e)
	if e.cause != nil && !errors.Is(e.cause, syscall.EPIPE) {
		fmt.Fprintln(os.Stderr, "reapcheck:", printable.Escape(e.cause.Error()))
	}
	if e.status == exitUsage {
		fmt.Fprintln(os.Stderr, "see: "+command+" --help")
	}
	return e.status
}

// named demands from least to most arguments, and says which they are with an example.
func named(least, most int, what, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= most {
			return nil
		}
		return fmt.Errorf("%d arguments were given: give %s, as in: %s %s", len(args), what,
			cmd.CommandPath(), example)
	}
}

// unknownFlag says where the flags of a target go, if the command takes any.
func unknownFlag(cmd *cobra.Command, err error) error {
	if cmd.Flags().Lookup("arg") != nil && strings.HasPrefix(err.Error(), "unknown ") {
		return fmt.Errorf("%w: if it is your daemon's own, write it after --", err)
	}
	return err
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "reapcheck",
		Short: "test whether a PID 1 daemon returns the right exit code for every command",
		Long: `reapcheck tests whether a PID 1 daemon returns the right exit code for every command
that it runs, and checks in the same run that the test can fail.

Exit status: 0 pass, 1 fail, 2 inconclusive, 3 infrastructure, 64 usage.`,
		Version:       versionText(),
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(unknownFlag)
	root.SetVersionTemplate("reapcheck {{.Version}}" + builtOf() + "\n")
	root.AddCommand(newRepro(), newGate(), newJudge(), newOrders(), newMutants(), newAlarms(),
		newBench(), newCompare(), newMerge(), newJob(), newReport(), newRepeat(), newList(),
		newDialect(), newDriver(), newDoctor(), newSweep())
	return root
}

// builtOf says of which commit and by which Go this command was built, in brackets.
func builtOf() string {
	of := commit
	if info, ok := debug.ReadBuildInfo(); ok && of == "" {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				of = s.Value
			}
		}
	}
	return fmt.Sprintf(" (commit %s, %s %s/%s)", cmp.Or(of, "unknown"), runtime.Version(),
		runtime.GOOS, runtime.GOARCH)
}

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
