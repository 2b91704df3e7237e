package main

import (
	"fmt"
	"io"

	"github.com/reapcheck/reapcheck/daemon/process"
)

// initInFront is the strategy in which this process serves nobody: it is the init of
// another, which serves.
const initInFront = "init-in-front"

// runInit returns the exit code of the daemon behind it. Orphans come to the init, be
// it PID 1 or a subreaper.
func runInit(c config, stderr io.Writer) int {
	if c.subreaper {
		if err := process.BecomeSubreaper(); err != nil {
			fmt.Fprintf(stderr, "daemon: become child subreaper: %v\n", err)
			return exitFailure
		}
	}
	code, err := process.RunInit()
	if err != nil {
		fmt.Fprintf(stderr, "daemon: %v\n", err)
		return exitFailure
	}
	return code
}
