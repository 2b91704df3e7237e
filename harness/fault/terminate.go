package fault

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/reapcheck/reapcheck/harness/probe"
)

// Terminate ends processes of the sandbox from outside. One that is gone, or that
// has another's number by now, is let be.
func Terminate(all probe.Snapshot) error {
	for _, p := range all {
		// It holds a pidfd: what the look then finds is what the signal goes to.
		process, err := os.FindProcess(p.PID)
		if err != nil {
			continue
		}
		now, err := probe.LookAt(p.PID)
		if err == nil && now.Inner == p.Inner && now.Parent == p.Parent && now.Name == p.Name {
			err = process.Signal(syscall.SIGTERM)
		}
		_ = process.Release()
		if err != nil && !probe.Gone(err) && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("terminate a process of the sandbox: %w", err)
		}
	}
	return nil
}
