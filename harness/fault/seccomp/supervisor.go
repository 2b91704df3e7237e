package seccomp

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// interval is how often held calls are judged again when nothing else gives
// occasion to. It is short against a command's life.
const interval = time.Millisecond

// Supervisor answers for one sandbox. Its methods may be called from many
// goroutines.
type Supervisor struct {
	family   family
	listener int
	events   *os.File // readable while a notification waits, or none can come any more
	// filters is how many seccomp filters the launcher ran under.
	filters string
	done    chan struct{} // closed when no call will be answered any more

	mu     sync.Mutex
	action action // the target's own for SIGCHLD
	rule   rule
	counts Counts
	census census
	held   map[uint32]*entry // by thread
	again  *time.Timer       // for the next look at them; nil while none is held
	err    error
}

var errElsewhere = errors.New(
	"it lives where this process cannot see it; run reapcheck beside the engine, " +
		"in the same PID namespace")

// newSupervisor takes the listener over, also on error, and lets every call go
// until a policy is set.
func newSupervisor(listener, target int) (*Supervisor, error) {
	s := &Supervisor{
		listener: listener,
		done:     make(chan struct{}),
		held:     map[uint32]*entry{},
		census:   census{},
		rule:     Policy{}.rule(family{}, nil, nil),
	}
	var err error
	if target == 0 {
		err = errElsewhere
	}
	if err == nil {
		s.family, err = newFamily(target)
	}
	if err == nil {
		s.events, err = eventsOf(listener)
	}
	if err != nil {
		unix.Close(listener)
		return nil, fmt.Errorf("supervise process %d: %w", target, err)
	}
	wakeBeside(listener)
	s.filters, _ = statusLine(target, "Seccomp_filters:")
	go s.run()
	return s, nil
}

// Of makes another process of the sandbox the one whose calls are judged: the daemon behind
// an init. It has the launcher's filter too, by inheritance.
func (s *Supervisor) Of(pid int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if pid == s.family.target {
		return nil
	}
	family, err := newFamily(pid)
	if err != nil {
		return err
	}
	s.family, s.action = family, action{} // what it has set before is not known
	s.filters, _ = statusLine(pid, "Seccomp_filters:")
	return nil
}

// Set changes the policy, by which what is held is judged at the next look,
// and counts from zero.
func (s *Supervisor) Set(p Policy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts = Counts{}
	s.census.close()
	s.rule = p.rule(s.family, &s.counts, s.census)
}

// Counts is what was seen since the policy was set. The error says why nothing
// is answered any more, though the target may live.
func (s *Supervisor) Counts() (Counts, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Reaped += s.census.reaped()
	return s.counts, s.err
}

// Interrupts says whether a wait of the target's that does not block may have failed with
// EINTR since the policy was set, which is our doing.
func (s *Supervisor) Interrupts() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts.Cut > 0 && s.action.interrupts()
}

// OwnFilter says whether the target has installed a seccomp filter since the
// launcher did. Where that one is stricter about a call, no one is asked here.
func (s *Supervisor) OwnFilter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, err := statusLine(s.family.target, "Seccomp_filters:")
	return err == nil && now != s.filters
}

// close ends run. What is held then fails with ENOSYS in the target.
func (s *Supervisor) close() {
	_ = s.events.SetReadDeadline(time.Now())
	<-s.done
}

// run sleeps in Go's poller. A thread of its own that sleeps in ppoll(2) would cost
// eight more switches between threads for each notification: Go takes its P away
// meanwhile, and has to find it one.
func (s *Supervisor) run() {
	defer close(s.done)
	defer s.events.Close()
	defer unix.Close(s.listener)
	defer s.forgetAll()
	events, err := s.events.SyscallConn()
	if err == nil {
		var failed error
		err = events.Read(func(uintptr) bool {
			var over bool
			over, failed = s.serveAll()
			return over || failed != nil
		})
		err = cmp.Or(failed, err)
	}
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) { // which is close's
		s.fail(err)
	}
}

// serveAll answers what waits, and says whether there is to be no more.
func (s *Supervisor) serveAll() (over bool, err error) {
	for {
		waits, over, err := poll(s.listener)
		if over {
			s.cut() // the caller of a call that was not read may have ended of that
		}
		if over || !waits || err != nil {
			return over, err
		}
		s.serve()
	}
}

// fail ends the supervision while the target lives.
func (s *Supervisor) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = fmt.Errorf("supervise process %d: %w", s.family.target, err)
}

// look judges held calls when nothing else gave occasion to.
func (s *Supervisor) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.again == nil {
		return // stopped too late
	}
	s.again = nil
	s.judgeHeld()
	s.lookAgain()
}

// lookAgain sees to it that what is held is judged again.
func (s *Supervisor) lookAgain() {
	if s.again == nil && len(s.held) > 0 {
		s.again = time.AfterFunc(interval, s.look)
	}
}

// serve answers one notification.
func (s *Supervisor) serve() {
	n, err := receive(s.listener)
	if err != nil {
		s.cut() // it comes again
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.ownThread(n.thread)
	if n.number == unix.SYS_RT_SIGACTION {
		if own {
			s.action = actionOf(n)
		}
		_ = letGo(s.listener, n.id)
		return
	}
	if !own {
		s.counts.Foreign++
		_ = letGo(s.listener, n.id)
		return
	}
	now, c := time.Now(), callOf(n.number, n.args)
	e := s.held[n.thread]
	if e != nil && !e.blocks {
		s.counts.Cut++
	}
	if e == nil || e.call != c {
		s.forget(e)
		e = &entry{call: c, thread: n.thread, since: now}
		s.counts.add(c)
	}
	e.id = n.id // a call that a signal has interrupted enters under a new one
	s.decide(e, now)
	if c.side != wait {
		s.judgeHeld() // the reaper is at it: its last call has had its effect
	}
	s.lookAgain()
}

// cut counts a call whose caller went before it was read.
func (s *Supervisor) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Cut++
}

// ownThread says whether a thread is the target's own. It sends signal 0 to it, as to a
// thread of the target, which costs less than a look into /proc.
// tgkill(2) says ESRCH of another's, and EPERM only of the target's.
func (s *Supervisor) ownThread(tid uint32) bool {
	_, _, errno := unix.RawSyscall(unix.SYS_TGKILL, uintptr(s.family.target), uintptr(tid), 0)
	return errno == 0 || errno == unix.EPERM
}

func (s *Supervisor) judgeHeld() {
	now := time.Now()
	for _, e := range s.held {
		s.decide(e, now)
	}
}

// decide judges one entry and, unless it is held, answers and counts it.
func (s *Supervisor) decide(e *entry, now time.Time) {
	verdict := s.rule.judge(e, now)
	if verdict == hold {
		e.held = true
		s.held[e.thread] = e
		return
	}
	s.forget(e)
	// else its caller was interrupted, and it comes again
	if reply(s.listener, e.id, verdict) == nil {
		s.counts.answered(e, verdict, now)
	} else if !e.blocks {
		s.counts.Cut++
	}
}

// reply tells the kernel what becomes of a call that is not held.
func reply(listener int, id uint64, verdict answer) error {
	switch verdict {
	case none:
		return refuse(listener, id, 0)
	case childless:
		return refuse(listener, id, unix.ECHILD)
	}
	return letGo(listener, id)
}

func (s *Supervisor) forgetAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.census.close()
	if s.again != nil {
		s.again.Stop()
		s.again = nil
	}
	for _, e := range s.held {
		s.forget(e)
	}
}

func (s *Supervisor) forget(e *entry) {
	if e == nil {
		return
	}
	delete(s.held, e.thread)
	if e.child != nil {
		e.child.close()
	}
}
