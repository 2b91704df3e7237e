package process

import (
	"log/slog"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/reapcheck/reapcheck/daemon/faultpoint"
)

// Locked is the way of go-reap: a lock that is held for reading from before a start
// until its wait is over, and for writing while the reaper takes what has ended.
//
// Source: hashicorp/go-reap, reap_unix.go and README.md at 4d9417d ("your application
// should get a read lock when it wants to do a wait"), read 2026-11-28. Kata's agent
// holds a lock of the same purpose, WAIT_PID_LOCKER, around its hooks
// (src/agent/src/signal.rs at 123f7d5).
//
// What it costs: while one command runs no orphan is reaped; and a reaper that waits
// for the lock keeps new readers out (sync.RWMutex), so that every new command waits
// for the longest of those that run.
type Locked struct {
	lock   sync.RWMutex
	reaper *passes
	log    *slog.Logger
	reaped atomic.Int64
	echild atomic.Int64
}

// NewLocked starts the reaper.
func NewLocked(log *slog.Logger) *Locked {
	s := &Locked{log: log}
	s.reaper = startPasses(s.pass, 0)
	return s
}

// Start waits for the lock, starts cmd, and gives the lock back when cmd has ended.
func (s *Locked) Start(cmd *exec.Cmd) (Child, error) {
	s.lock.RLock()
	child, err := startWaited(cmd, nothing, s.wait)
	if err != nil {
		s.lock.RUnlock()
	}
	return child, err
}

func (s *Locked) wait(cmd *exec.Cmd, pid int) (syscall.WaitStatus, error) {
	defer s.lock.RUnlock()
	return waitOnce(cmd, pid, &s.echild)
}

// pass reaps all that have ended, when nobody waits for a child.
func (s *Locked) pass() {
	s.lock.Lock()
	defer s.lock.Unlock()
	for {
		faultpoint.Reach(faultpoint.BeforeReap, 0)
		var status syscall.WaitStatus
		pid, err := wait4(-1, &status)
		if err != nil || pid <= 0 {
			return
		}
		s.reaped.Add(1)
		logReaped(s.log, "reaped zombie process", pid, status)
	}
}

// Counts says what has been seen: whatever this reaper takes is nobody's.
func (s *Locked) Counts() Counts {
	return Counts{ReapedUnmanaged: int(s.reaped.Load()), EchildSeen: int(s.echild.Load())}
}

// Close stops the reaper.
func (s *Locked) Close() { s.reaper.close() }
