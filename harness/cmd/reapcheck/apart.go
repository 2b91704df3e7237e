package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/reapcheck/reapcheck/harness/report"
)

// runApart runs this program in a process of its own, since a Ginkgo suite runs
// once in a process, and loads the run that it left in folder. The error holds what
// it printed.
func runApart(ctx context.Context, folder string, args []string) (report.Run, error) {
	command, err := os.Executable()
	if err != nil {
		return report.Run{}, err
	}
	cmd := exec.CommandContext(ctx, command, append(args, "--results="+folder)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it cleans up
	out, err := cmd.CombinedOutput()
	run, loadErr := report.Load(filepath.Join(folder, "latest"))
	if loadErr != nil {
		return run, fmt.Errorf("%w: %s", errors.Join(err, loadErr), out)
	}
	return run, nil
}
