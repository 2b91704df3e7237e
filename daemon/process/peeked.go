package process

import (
	"log/slog"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/daemon/faultpoint"
)

// Peeked is the way of OpenShell's first releases: the reaper looks at who has ended
// before it takes anyone, and leaves managed children to their own waiters. Children
// are managed from after their start on.
//
// Source: NVIDIA/OpenShell, crates/openshell-sandbox/src/lib.rs of early 2026 (waitid
// with WNOWAIT, MANAGED_CHILDREN, a look every 5 s), read 2026-11-28; it has since been
// given a lock around spawn and registration (managed_children.rs at 7b0af9f). systemd
// looks first as well (manager_dispatch_sigchld in src/core/manager.c), and then takes
// each child itself.
//
// What it cannot see: a child that ends before it is registered. What it costs: orphans
// behind a managed child that nobody has waited for yet stay until the next look.
type Peeked struct {
	reaper *passes
	log    *slog.Logger

	mu      sync.Mutex
	managed map[int]struct{}

	reaped, echild atomic.Int64
}

// peekInterval is how often the reaper looks without a signal.
const peekInterval = 5 * time.Second

// NewPeeked starts the reaper.
func NewPeeked(log *slog.Logger) *Peeked {
	s := &Peeked{log: log, managed: make(map[int]struct{})}
	s.reaper = startPasses(s.pass, peekInterval)
	return s
}

// Start starts cmd and then registers it.
func (s *Peeked) Start(cmd *exec.Cmd) (Child, error) {
	return startWaited(cmd, s.register, s.wait)
}

func (s *Peeked) register(pid int) {
	faultpoint.Reach(faultpoint.BeforeRegister, pid)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.managed[pid] = struct{}{}
}

func (s *Peeked) unregister(pid int) {
	faultpoint.Reach(faultpoint.BeforeUnregister, pid)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.managed, pid)
}

func (s *Peeked) isManaged(pid int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.managed[pid]
	return ok
}

func (s *Peeked) wait(cmd *exec.Cmd, pid int) (syscall.WaitStatus, error) {
	defer s.unregister(pid)
	return waitOnce(cmd, pid, &s.echild)
}

// pass ends at the first managed child: its own waiter takes it.
func (s *Peeked) pass() {
	for {
		pid := peekZombie()
		if pid == 0 || s.isManaged(pid) {
			return
		}
		faultpoint.Reach(faultpoint.BeforeReap, pid)
		var status syscall.WaitStatus
		if got, err := wait4(pid, &status); err != nil || got != pid {
			continue
		}
		s.reaped.Add(1)
		logReaped(s.log, "reaped zombie process", pid, status)
	}
}

// Counts says what has been seen.
func (s *Peeked) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Counts{
		ReapedUnmanaged: int(s.reaped.Load()),
		EchildSeen:      int(s.echild.Load()),
		Registered:      len(s.managed),
	}
}

// Close stops the reaper.
func (s *Peeked) Close() { s.reaper.close() }
