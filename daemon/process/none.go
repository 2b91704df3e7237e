package process

import "os/exec"

// None has no reaper: cmd.Wait is the only waiter, so its statuses are right,
// and orphans that a PID 1 inherits stay zombies. It is the floor for cost.
type None struct{}

// Start starts cmd.
func (*None) Start(cmd *exec.Cmd) (Child, error) {
	return startWaited(cmd, nothing, waitCmd)
}

// Counts is always zero.
func (*None) Counts() Counts { return Counts{} }

// Close has nothing to stop.
func (*None) Close() {}
