package process

import (
	"container/list"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"

	"github.com/reapcheck/reapcheck/daemon/faultpoint"
)

// Registry is the strategy in which there is one waiter only: the reaper, in
// registry_reaper.go. Handlers never call wait; they are told.
//
// The rules that make it sound:
//   - The reaper looks before it takes, and says whose a zombie is in the step in
//     which it looks: only a start that fails, and is under way, may free the PID.
//   - A zombie that nobody has registered is taken for an orphan only when no
//     start that could own it is under way.
//   - A child is reaped and its entry taken out in one step under mu, and
//     signals are sent under mu to children that have an entry.
//   - A status is written to an entry, which is one start; never to a PID.
type Registry struct {
	log *slog.Logger
	// signals wakes the reaper, which ends when stop is closed. One signal is
	// enough: a pass reaps all.
	signals    chan os.Signal
	stop, done chan struct{}

	mu sync.Mutex
	// entries are the started children that have not been reaped, by PID.
	entries map[int]*entry
	// starting holds the tickets of the starts under way, oldest first.
	starting list.List
	tickets  uint64
	suspect  suspect
	counts   Counts
}

// entry is one start. While it is in Registry.entries its PID is its child's.
type entry struct {
	registry *Registry
	process  *os.Process
	pid      int
	exited   chan struct{}
	// status and err are written before exited is closed, and read after.
	status syscall.WaitStatus
	err    error
	// forgotten says that nobody will read them, pinned that the child must not be
	// reaped now. Guarded by Registry.mu.
	forgotten, pinned bool
}

// suspect is an unregistered zombie that a start under way may own: one whose
// ticket was given out before the zombie was seen. A later start cannot, since
// the zombie holds the PID. The zero value is no suspect.
type suspect struct {
	pid    int
	ticket uint64
}

// NewRegistry starts the reaper.
func NewRegistry(log *slog.Logger) *Registry {
	r := newRegistry(log)
	signal.Notify(r.signals, syscall.SIGCHLD)
	go r.run()
	return r
}

func newRegistry(log *slog.Logger) *Registry {
	return &Registry{
		log: log, entries: make(map[int]*entry),
		signals: make(chan os.Signal, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// Start starts cmd and registers it. Until that is done, no unregistered
// zombie is taken for an orphan.
func (r *Registry) Start(cmd *exec.Cmd) (Child, error) {
	ticket := r.beginStart()
	if err := cmd.Start(); err != nil {
		r.endStart(ticket, err)
		return nil, err
	}
	faultpoint.Reach(faultpoint.BeforeRegister, cmd.Process.Pid)
	e := r.register(cmd.Process)
	r.endStart(ticket, nil)
	faultpoint.Reach(faultpoint.BeforeWait, e.pid)
	return e, nil
}

func (r *Registry) beginStart() (ticket *list.Element) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tickets++
	return r.starting.PushBack(r.tickets)
}

// endStart gives a ticket back; the last one that the reaper waits for wakes
// it. A start that failed after its fork has left a child which os/exec reaps
// itself. The suspect may have been that one, and its PID another's by now:
// then the reaper must look afresh.
func (r *Registry) endStart(ticket *list.Element, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.starting.Remove(ticket).(uint64) > r.suspect.ticket && canPeek {
		return
	}
	if err != nil {
		r.suspect = suspect{}
	}
	r.wake()
}

// register makes a started process known to the reaper. If its PID is known
// already, the older child was reaped by somebody else.
func (r *Registry) register(process *os.Process) *entry {
	e := &entry{registry: r, process: process, pid: process.Pid, exited: make(chan struct{})}
	r.mu.Lock()
	old := r.entries[e.pid]
	r.entries[e.pid] = e
	if r.suspect.pid == e.pid {
		r.suspect = suspect{}
		r.wake()
	}
	r.mu.Unlock()
	if old != nil {
		r.publish(old, 0, ErrStatusLost)
	}
	return e
}

// isRegistered says whether e has not been reaped. Call it with mu held.
func (r *Registry) isRegistered(e *entry) bool { return r.entries[e.pid] == e }

// publish leaves on e how its child ended and tells the handler. The
// caller has taken e out of the entries, so this happens once.
func (r *Registry) publish(e *entry, status syscall.WaitStatus, err error) {
	e.process.Release() // or its pidfd would stay open
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.counts.ReapedManaged++
	} else {
		r.counts.EchildSeen++
	}
	if !e.forgotten {
		r.counts.Cached++
	}
	e.status, e.err = status, err
	close(e.exited)
}

// unregister forgets e. A child that still runs keeps its entry until it has
// been reaped, so that nobody takes it for an orphan.
func (r *Registry) unregister(e *entry) {
	faultpoint.Reach(faultpoint.BeforeUnregister, e.pid)
	r.mu.Lock()
	defer r.mu.Unlock()
	e.forgotten = true
	select {
	case <-e.exited:
		r.counts.Cached--
	default:
	}
}

// Counts says what has been seen.
func (r *Registry) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.counts
	c.Registered = len(r.entries)
	return c
}

// Close stops the reaper.
func (r *Registry) Close() {
	signal.Stop(r.signals)
	close(r.stop)
	<-r.done
}

func (e *entry) PID() int                            { return e.pid }
func (e *entry) Exited() <-chan struct{}             { return e.exited }
func (e *entry) Status() (syscall.WaitStatus, error) { return e.status, e.err }
func (e *entry) Forget()                             { e.registry.unregister(e) }

// Signal reaches the child and its group while neither number can change hands.
// The child may have left its group.
func (e *entry) Signal(sig syscall.Signal) error {
	e.registry.mu.Lock()
	defer e.registry.mu.Unlock()
	if !e.registry.isRegistered(e) || e.stolen() {
		return os.ErrProcessDone
	}
	syscall.Kill(-e.pid, sig)
	return syscall.Kill(e.pid, sig)
}

// Pin keeps the child from being reaped, and so both numbers its own.
func (e *entry) Pin() (release func()) {
	pin := func(pinned bool) {
		e.registry.mu.Lock()
		defer e.registry.mu.Unlock()
		e.pinned = pinned
	}
	pin(true)
	return func() { pin(false); e.registry.wake() }
}

// stolen says whether the child of e was reaped by somebody else. It asks by
// pidfd where there is one, so that another process which was given the same
// PID does not deceive it. Call it with mu held, while e is registered.
func (e *entry) stolen() bool {
	return errors.Is(e.process.Signal(syscall.Signal(0)), os.ErrProcessDone)
}
