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

// Subscribed is the way of containerd's shim: its reaper tells everyone of every exit,
// and who starts a child subscribes before the start, so that no exit comes too early.
//
// Source: containerd, pkg/sys/reaper/reaper_unix.go at 40c3f1b, read 2026-11-28. Kept
// are its channels of 32, its millisecond for a subscriber that is not ready, and that
// the reaper goes on to the next exit after a second at the latest.
//
// What it cannot see: an exit is known by its PID alone. One that is told late, of a
// child whose PID the new one has been given, is taken for the new one's. Each exit is
// sent to everyone, so that n commands in flight cost n times n messages.
type Subscribed struct {
	reaper *passes
	log    *slog.Logger

	mu          sync.Mutex
	subscribers map[*subscriber]struct{}
	reaped      atomic.Int64
}

// subscriber is one start that waits for its exit among all.
type subscriber struct {
	mu     sync.Mutex
	exits  chan exit
	closed bool
}

type exit struct {
	pid    int
	status syscall.WaitStatus
}

const (
	// exitBuffer is how many exits a subscriber may be behind, notReady how long one
	// that is further behind holds up the others, and mostLate how long the reaper
	// waits until all have heard of one exit.
	exitBuffer = 32
	notReady   = time.Millisecond
	mostLate   = time.Second
)

// NewSubscribed starts the reaper.
func NewSubscribed(log *slog.Logger) *Subscribed {
	s := &Subscribed{log: log, subscribers: make(map[*subscriber]struct{})}
	s.reaper = startPasses(s.pass, 0)
	return s
}

// Start subscribes and then starts cmd.
func (s *Subscribed) Start(cmd *exec.Cmd) (Child, error) {
	own := s.subscribe()
	child, err := startWaited(cmd, nothing,
		func(cmd *exec.Cmd, pid int) (syscall.WaitStatus, error) {
			defer s.unsubscribe(own)
			return own.wait(cmd, pid)
		})
	if err != nil {
		s.unsubscribe(own)
		return nil, err
	}
	return child, nil
}

// wait takes the first exit of that PID. cmd.Wait comes behind it, for what it does
// beside waiting: its own answer is ECHILD.
func (s *subscriber) wait(cmd *exec.Cmd, pid int) (syscall.WaitStatus, error) {
	for e := range s.exits {
		if e.pid == pid {
			waitCmd(cmd, pid)
			return e.status, nil
		}
	}
	cmd.Process.Release()
	return 0, ErrStatusUnknown
}

func (s *Subscribed) subscribe() *subscriber {
	own := &subscriber{exits: make(chan exit, exitBuffer)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.subscribers[own] = struct{}{}
	return own
}

func (s *Subscribed) unsubscribe(own *subscriber) {
	s.mu.Lock()
	delete(s.subscribers, own)
	s.mu.Unlock()
	own.close()
}

func (s *subscriber) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.exits)
	}
}

// pass reaps all that have ended, and then tells of them one after the other.
func (s *Subscribed) pass() {
	for _, e := range s.reapAll() {
		s.reaped.Add(1)
		faultpoint.Reach(faultpoint.BeforePublish, e.pid)
		logReaped(s.log, "reaped zombie process", e.pid, e.status)
		told := make(chan struct{})
		go s.tell(e, told)
		late := time.NewTimer(mostLate)
		select {
		case <-told:
		case <-late.C:
		}
		late.Stop()
	}
}

func (s *Subscribed) reapAll() (exits []exit) {
	for {
		faultpoint.Reach(faultpoint.BeforeReap, 0)
		var status syscall.WaitStatus
		pid, err := wait4(-1, &status)
		if err != nil || pid <= 0 {
			return exits
		}
		exits = append(exits, exit{pid, status})
	}
}

// tell sends e to everyone, again and again until all have it, also those who have
// come since.
func (s *Subscribed) tell(e exit, told chan<- struct{}) {
	defer close(told)
	heard := make(map[*subscriber]struct{})
	for all := false; !all; {
		all = true
		for _, one := range s.everyone() {
			if _, ok := heard[one]; ok {
				continue
			}
			if one.offer(e) {
				heard[one] = struct{}{}
			} else {
				all = false
			}
		}
	}
}

func (s *Subscribed) everyone() []*subscriber {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*subscriber, 0, len(s.subscribers))
	for one := range s.subscribers {
		all = append(all, one)
	}
	return all
}

// offer says whether there is no need to offer e again.
func (s *subscriber) offer(e exit) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return true
	}
	timer := time.NewTimer(notReady)
	defer timer.Stop()
	select {
	case s.exits <- e:
		return true
	case <-timer.C:
		return false
	}
}

// Counts says what has been seen; this reaper cannot tell commands from orphans.
func (s *Subscribed) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Counts{ReapedUnmanaged: int(s.reaped.Load()), Registered: len(s.subscribers)}
}

// Close stops the reaper and tells those who still wait that no exit will come.
func (s *Subscribed) Close() {
	s.reaper.close()
	for _, one := range s.everyone() {
		s.unsubscribe(one)
	}
}
