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

// Documented is the fix as it was first proposed: children are registered by PID
// after they have started, the reaper keeps the statuses of registered PIDs, and a
// handler that meets ECHILD looks there, for a limited time.
//
// What it cannot see: a child reaped before it was registered, a status that
// comes later than the limit, and a PID that has changed hands.
type Documented struct {
	registry   *pidTable
	reaper     *wait4Reaper
	echildWait time.Duration
	log        *slog.Logger

	managed, unmanaged, echildSeen, echildRecovered atomic.Int64
}

// NewDocumented starts the reaper.
func NewDocumented(echildWait time.Duration, log *slog.Logger) *Documented {
	s := &Documented{registry: newPIDTable(), echildWait: echildWait, log: log}
	s.reaper = startWait4Reaper(s.reaped)
	return s
}

func (s *Documented) reaped(pid int, status syscall.WaitStatus) {
	if !s.registry.IsRegistered(pid) {
		s.unmanaged.Add(1)
		logReaped(s.log, "reaped zombie process", pid, status)
		return
	}
	faultpoint.Reach(faultpoint.BeforePublish, pid)
	s.registry.CacheExitStatus(pid, status)
	s.managed.Add(1)
	logReaped(s.log, "reaped managed process", pid, status)
}

// Start starts cmd.
func (s *Documented) Start(cmd *exec.Cmd) (Child, error) {
	return startWaited(cmd, s.register, s.wait)
}

func (s *Documented) register(pid int) {
	faultpoint.Reach(faultpoint.BeforeRegister, pid)
	s.registry.Register(pid)
}

func (s *Documented) wait(cmd *exec.Cmd, pid int) (syscall.WaitStatus, error) {
	defer s.unregister(pid)
	status, err := waitCmd(cmd, pid)
	if err == syscall.ECHILD {
		return s.afterEchild(pid)
	}
	return status, err
}

func (s *Documented) afterEchild(pid int) (syscall.WaitStatus, error) {
	s.echildSeen.Add(1)
	faultpoint.Reach(faultpoint.BeforeLookup, pid)
	status, found := s.registry.waitForExitStatus(pid, s.echildWait)
	if !found {
		return 0, ErrStatusUnknown
	}
	s.echildRecovered.Add(1)
	return status, nil
}

func (s *Documented) unregister(pid int) {
	faultpoint.Reach(faultpoint.BeforeUnregister, pid)
	s.registry.Unregister(pid)
}

// Counts says what has been seen.
func (s *Documented) Counts() Counts {
	registered, cached := s.registry.sizes()
	return Counts{
		ReapedManaged:   int(s.managed.Load()),
		ReapedUnmanaged: int(s.unmanaged.Load()),
		EchildSeen:      int(s.echildSeen.Load()),
		EchildRecovered: int(s.echildRecovered.Load()),
		Registered:      registered,
		Cached:          cached,
	}
}

// Close stops the reaper.
func (s *Documented) Close() { s.reaper.close() }

// pidTable knows which PIDs are waited for and keeps the exit statuses
// that the reaper took from them. It is keyed by PID alone.
type pidTable struct {
	mu         sync.RWMutex
	registered map[int]struct{}
	cached     map[int]syscall.WaitStatus
	// changed is closed and replaced when a status is cached.
	changed chan struct{}
}

// newPIDTable returns an empty registry.
func newPIDTable() *pidTable {
	return &pidTable{
		registered: make(map[int]struct{}),
		cached:     make(map[int]syscall.WaitStatus),
		changed:    make(chan struct{}),
	}
}

// Register says that someone waits for pid.
func (r *pidTable) Register(pid int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.registered[pid] = struct{}{}
}

// Unregister forgets pid and its status.
func (r *pidTable) Unregister(pid int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.registered, pid)
	delete(r.cached, pid)
}

// IsRegistered says whether someone waits for pid.
func (r *pidTable) IsRegistered(pid int) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.registered[pid]
	return ok
}

// CacheExitStatus keeps pid's status until Unregister.
func (r *pidTable) CacheExitStatus(pid int, status syscall.WaitStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cached[pid] = status
	close(r.changed)
	r.changed = make(chan struct{})
}

// GetCachedExitStatus returns pid's status if the reaper has left it here.
func (r *pidTable) GetCachedExitStatus(pid int) (syscall.WaitStatus, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	status, ok := r.cached[pid]
	return status, ok
}

// waitForExitStatus is GetCachedExitStatus repeated whenever a status comes,
// until the limit. The channel is fetched before the look, so that no status
// can come unseen in between.
func (r *pidTable) waitForExitStatus(pid int, limit time.Duration) (syscall.WaitStatus, bool) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		changed := r.nextChange()
		if status, ok := r.GetCachedExitStatus(pid); ok || limit == 0 {
			return status, ok
		}
		select {
		case <-changed:
		case <-timer.C:
			return r.GetCachedExitStatus(pid)
		}
	}
}

func (r *pidTable) nextChange() <-chan struct{} {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.changed
}

func (r *pidTable) sizes() (registered, cached int) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.registered), len(r.cached)
}
