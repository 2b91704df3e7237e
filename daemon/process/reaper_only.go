package process

import (
	"log/slog"
	"os/exec"
	"sync/atomic"
	"syscall"
)

// ReaperOnly is the bug: a reaper and cmd.Wait wait for the same children and
// do not know of each other. When the reaper is first, the status is gone.
type ReaperOnly struct {
	reaper                  *wait4Reaper
	log                     *slog.Logger
	echildSeen, reapedCount atomic.Int64
}

// NewReaperOnly starts the reaper.
func NewReaperOnly(log *slog.Logger) *ReaperOnly {
	s := &ReaperOnly{log: log}
	s.reaper = startWait4Reaper(s.reaped)
	return s
}

func (s *ReaperOnly) reaped(pid int, status syscall.WaitStatus) {
	s.reapedCount.Add(1)
	logReaped(s.log, "reaped zombie process", pid, status)
}

// Start starts cmd.
func (s *ReaperOnly) Start(cmd *exec.Cmd) (Child, error) {
	return startWaited(cmd, nothing, s.wait)
}

func (s *ReaperOnly) wait(cmd *exec.Cmd, pid int) (syscall.WaitStatus, error) {
	return waitOnce(cmd, pid, &s.echildSeen)
}

// Counts says what has been seen; this reaper cannot tell commands from orphans.
func (s *ReaperOnly) Counts() Counts {
	return Counts{ReapedUnmanaged: int(s.reapedCount.Load()), EchildSeen: int(s.echildSeen.Load())}
}

// Close stops the reaper.
func (s *ReaperOnly) Close() { s.reaper.close() }
