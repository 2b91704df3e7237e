package seccomp

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/probe"
)

// reaperWins makes each wait come second.
type reaperWins struct {
	family family
	counts *Counts
	census census
	limit  time.Duration
}

func (r *reaperWins) judge(e *entry, now time.Time) answer {
	switch e.side {
	case wait:
		r.census.close()
		return r.wait(e, now)
	case look:
		r.look(e)
	case take:
		r.take()
	}
	return goOn
}

// wait holds a call until its child has been reaped. The limit counts from the
// child's end: until then the call would block anyway.
func (r *reaperWins) wait(e *entry, now time.Time) answer {
	if e.child == nil {
		child, err := r.family.openChild(e.call)
		if errors.Is(err, errGone) {
			e.tally = &r.counts.Late
			return goOn
		}
		if errors.Is(err, errNotChild) {
			r.counts.Waits-- // Go's probe for pidfds waits for itself, at the first start
			r.counts.Others++
		}
		if err != nil {
			return r.counts.unseen(err)
		}
		e.child = child
	}
	switch gone := e.child.gone(); {
	case gone && e.held:
		e.tally = &r.counts.ReaperFirst
	case gone:
		e.tally = &r.counts.Late
	case e.child.endedFor(now) > r.limit:
		e.tally = &r.counts.LimitHits
	default:
		return hold
	}
	return goOn
}

// look and take only count, and only where no wait could come second.
func (r *reaperWins) look(e *entry) {
	if r.counts.Waits > 0 || r.counts.Takes > 0 {
		return
	}
	r.counts.Reaped += r.census.reaped()
	if pid, err := r.family.identify(e.call); err == nil {
		r.census.meet(pid)
	}
}

func (r *reaperWins) take() {
	if r.counts.Waits > 0 || r.counts.Looks > 0 {
		return
	}
	r.counts.Reaped += r.census.reaped()
	children, err := r.family.children()
	if err != nil {
		r.counts.unseen(err)
	}
	for _, pid := range children {
		r.census.meet(pid)
	}
}

// child is one process for certain: a pidfd of our own, which a later process
// with the same number does not share.
type child struct {
	pidfd int
	// died is when it was first seen to have ended.
	died time.Time
}

// openChild returns the child that a call is about: errGone or errNotChild
// where there is none. Close it.
func (f family) openChild(c call) (*child, error) {
	pid, err := f.identify(c)
	if err != nil {
		return nil, err
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	if err := f.confirm(c, pid); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &child{pidfd: fd}, nil
}

// confirm makes sure that pid was not given to someone else before it was
// opened, and that the target may wait for it.
func (f family) confirm(c call, pid int) error {
	same := f.inner(pid) == c.child
	if c.pidfd {
		again, err := f.ofPidfd(c.child)
		if err != nil {
			return err
		}
		same = again == pid
	}
	stat, err := probe.StatOf(pid)
	switch {
	case !same || probe.Gone(err):
		return errGone
	case err != nil:
		return err
	case stat.Parent != f.target:
		return errNotChild
	}
	return nil
}

// gone says whether it has been reaped. A zombie can still be signalled; EPERM
// means that there is someone to refuse.
func (c *child) gone() bool {
	return errors.Is(unix.PidfdSendSignal(c.pidfd, 0, nil, 0), unix.ESRCH)
}

// ended says whether it has ended, reaped or not.
func (c *child) ended() bool {
	poll := []unix.PollFd{{Fd: int32(c.pidfd), Events: unix.POLLIN}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0
}

// endedFor is how long it has been seen to have ended: 0 while it runs.
func (c *child) endedFor(now time.Time) time.Duration {
	if c.died.IsZero() {
		if !c.ended() {
			return 0
		}
		c.died = now
	}
	return now.Sub(c.died)
}

func (c *child) close() { unix.Close(c.pidfd) }

// census counts the children that a target reaps by calls of one kind. What a
// call will take cannot be told when it enters: a child may end between the
// look from here and the kernel's own, and a call may block until there is
// something to take. So the children that are there when a call enters are
// remembered, and counted once they are gone.
//
// It misses a child that is started, ends and is reaped between two calls.
type census map[int]*child

// meet remembers a process. The number of one that is known is still its own
// if those that have gone were counted just before.
func (c census) meet(pid int) {
	if c[pid] != nil {
		return
	}
	if fd, err := unix.PidfdOpen(pid, 0); err == nil {
		c[pid] = &child{pidfd: fd}
	}
}

// reaped forgets those that have gone and says how many they were.
func (c census) reaped() (n int64) {
	for pid, child := range c {
		if child.gone() {
			child.close()
			delete(c, pid)
			n++
		}
	}
	return n
}

func (c census) close() {
	for _, child := range c {
		child.close()
	}
	clear(c)
}
