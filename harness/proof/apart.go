package proof

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// RunApart runs this program in a process of its own, since a Ginkgo suite runs
// once in a process, and loads the run that it left in folder. Of the environment,
// variables whose names begin with settings are left out: what is set for a gate is
// not meant for this run. The error holds what the program printed.
func RunApart(ctx context.Context, folder string, args []string, settings string) (
	results.Run, error) {
	command, err := os.Executable()
	if err != nil {
		return results.Run{}, err
	}
	cmd := exec.CommandContext(ctx, command, append(args, "--results="+folder)...)
	cmd.Env = slices.DeleteFunc(os.Environ(),
		func(v string) bool { return strings.HasPrefix(v, settings) })
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it cleans up
	out, err := cmd.CombinedOutput()
	run, loadErr := results.Load(results.Latest(folder))
	return run, apartProblem(run.Verdict, loadErr, err, out)
}

// apartProblem is why a run in a process of its own says nothing; nil where it
// does. One that does not pass ends with an error, as it has to. One whose recordings
// pass and that does so too has broken after them.
func apartProblem(v trial.Verdict, loadErr, err error, out []byte) error {
	switch {
	case loadErr != nil:
		return fmt.Errorf("%w: %s", errors.Join(err, loadErr), out)
	case err != nil && v == trial.Pass:
		return fmt.Errorf("the recordings pass, and yet the run ended with %w: %s", err, out)
	}
	return nil
}
