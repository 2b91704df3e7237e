package syscallhold

import (
	"errors"
	"fmt"
	"runtime"
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
	stop     int // an eventfd, readable once close was called
	// filters is how many seccomp filters the launcher ran under.
	filters string
	done    chan struct{} // closed when no call will be answered any more

	mu       sync.Mutex
	rule     rule
	counts   Counts
	census   census
	held     map[uint32]*entry // by thread
	lastLook time.Time
	err      error
}

// newSupervisor takes the listener over, also on error, and lets every call go
// until a policy is set.
func newSupervisor(listener, target int) (*Supervisor, error) {
	s := &Supervisor{
		listener: listener, done: make(chan struct{}), held: map[uint32]*entry{}, census: census{}, rule: Policy{}.rule(family{}, nil, nil),
	}
	var err error
	if target == 0 {
		err = errors.New("it lives where this process cannot see it; run reapcheck beside the engine, in the same PID namespace")
	}
	if err == nil {
		s.family, err = newFamily(target)
	}
	if err == nil {
		s.stop, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
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

// OwnFilter says whether the target has installed a seccomp filter since the
// launcher did. Where that one is stricter about a call, nobody is asked here.
func (s *Supervisor) OwnFilter() bool {
	now, err := statusLine(s.family.target, "Seccomp_filters:")
	return err == nil && now != s.filters
}

// close ends run. What is held then fails with ENOSYS in the target.
func (s *Supervisor) close() {
	_, _ = unix.Write(s.stop, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	<-s.done
	unix.Close(s.stop)
}

// run has a thread of its own, which sleeps in ppoll(2). A goroutine that the
// runtime's poller wakes would do, but each wake-up of it costs the target's
// call a second one, and this is the price of every wait.
func (s *Supervisor) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(s.done)
	defer unix.Close(s.listener)
	defer s.forgetAll()
	for {
		waits, over, err := s.await()
		switch {
		case err != nil:
			s.fail(err)
			return
		case waits:
			s.serve()
		case over:
			return
		default:
			s.look()
		}
	}
}

// await sleeps until a notification waits, or there is to be no further one, or
// neither and held calls are to be judged again.
func (s *Supervisor) await() (waits, over bool, err error) {
	poll := []unix.PollFd{{Fd: int32(s.listener), Events: unix.POLLIN}, {Fd: int32(s.stop), Events: unix.POLLIN}}
	_, err = unix.Ppoll(poll, s.untilLook(), nil)
	if errors.Is(err, unix.EINTR) {
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("poll: %w", err)
	}
	// POLLHUP: no process is left that could cause one (Linux 5.9).
	over = poll[1].Revents != 0 || poll[0].Revents&unix.POLLHUP != 0
	return poll[0].Revents&unix.POLLIN != 0 && poll[1].Revents == 0, over, nil
}

// fail ends the supervision while the target lives.
func (s *Supervisor) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = fmt.Errorf("supervise process %d: %w", s.family.target, err)
}

// untilLook is when held calls are to be judged again; nil where none is held.
func (s *Supervisor) untilLook() *unix.Timespec {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.held) == 0 {
		return nil
	}
	left := unix.NsecToTimespec(int64(max(0, time.Until(s.lastLook.Add(interval)))))
	return &left
}

func (s *Supervisor) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.judgeHeld()
}

// serve answers one notification.
func (s *Supervisor) serve() {
	n, err := receive(s.listener)
	if err != nil {
		return // its caller was interrupted; it comes again
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ownThread(n.thread) {
		s.counts.Foreign++
		_ = letGo(s.listener, n.id)
		return
	}
	now, c := time.Now(), callOf(n.number, n.args)
	e := s.held[n.thread]
	if e == nil || e.call != c {
		s.forget(e)
		e = &entry{call: c, thread: n.thread, since: now}
		s.counts.add(c)
	}
	e.id = n.id // a call that a signal has interrupted enters under a new one
	s.settle(e, now)
	if c.side != wait {
		s.judgeHeld() // the reaper is at it: its last call has had its effect
	}
}

// ownThread says whether a thread is the target's own: no signal at all is sent to
// it as a thread of that process, which costs less than a look into /proc.
// tgkill(2) says ESRCH of another's, and EPERM only of the target's.
func (s *Supervisor) ownThread(tid uint32) bool {
	_, _, errno := unix.RawSyscall(unix.SYS_TGKILL, uintptr(s.family.target), uintptr(tid), 0)
	return errno == 0 || errno == unix.EPERM
}

func (s *Supervisor) judgeHeld() {
	s.lastLook = time.Now()
	for _, e := range s.held {
		s.settle(e, s.lastLook)
	}
}

// settle judges one entry and, unless it is held, answers and counts it.
func (s *Supervisor) settle(e *entry, now time.Time) {
	verdict := s.rule.judge(e, now)
	if verdict == hold {
		e.held = true
		s.held[e.thread] = e
		return
	}
	s.forget(e)
	if reply(s.listener, e.id, verdict) == nil { // else its caller was interrupted, and it comes again
		s.counts.settled(e, verdict, now)
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
