package process

import (
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/daemon/faultpoint"
)

const (
	// restInterval is how often the reaper asks for every registered child, to
	// notice what no SIGCHLD tells: that somebody else has reaped one.
	restInterval = time.Second
	// suspectInterval is the same while it is undecided about the zombie in
	// front, so that the others do not wait behind that one.
	suspectInterval = 20 * time.Millisecond
)

// reaper is what the reaper's goroutine, run, listens to.
type reaper struct {
	signals           chan os.Signal
	woken, stop, done chan struct{}
}

func newReaper() reaper {
	// One signal is enough: a pass reaps all. So is one wake.
	return reaper{make(chan os.Signal, 1), make(chan struct{}, 1), make(chan struct{}), make(chan struct{})}
}

// wake asks for another pass. It never blocks.
func (r reaper) wake() {
	select {
	case r.woken <- struct{}{}:
	default:
	}
}

func (r reaper) close() {
	signal.Stop(r.signals)
	close(r.stop)
	<-r.done
}

// run is the only goroutine that waits for children.
func (r *Registry) run() {
	defer close(r.reaper.done)
	ticker := time.NewTicker(restInterval)
	defer ticker.Stop()
	for interval := restInterval; ; {
		if next := r.reapZombies(); next != interval {
			interval = next
			ticker.Reset(interval)
		}
		select {
		case <-r.reaper.signals:
		case <-r.reaper.woken:
		case <-ticker.C:
			r.reapRegistered()
		case <-r.reaper.stop:
			r.reapZombies()
			return
		}
	}
}

// reapZombies reaps what has ended until nothing is left, or until the zombie
// in front is one that a start under way may own. It says how soon to look
// behind that one.
func (r *Registry) reapZombies() (next time.Duration) {
	if !canPeek {
		r.reapRegistered()
	}
	for {
		pid := peekZombie()
		if pid == 0 {
			return restInterval
		}
		faultpoint.Reach(faultpoint.BeforeReap, pid)
		e, orphan := r.ownerOf(pid)
		switch {
		case e != nil:
			r.reapManaged(e)
		case orphan:
			r.reapOrphan(pid)
		default:
			return suspectInterval
		}
	}
}

// ownerOf finds the start that the zombie pid belongs to, or says that it is
// an orphan. Neither means that it is too early to know: the reaper is woken
// when the owner is registered, or a start ends that may have been the owner.
func (r *Registry) ownerOf(pid int) (e *entry, orphan bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e := r.entries[pid]; e != nil {
		return e, false
	}
	if r.suspect.pid != pid {
		r.suspect = suspect{pid: pid, ticket: r.tickets}
	}
	if oldest := r.starting.Front(); oldest != nil && oldest.Value.(uint64) <= r.suspect.ticket {
		return nil, false
	}
	r.suspect = suspect{}
	return nil, true
}

// reapManaged reaps the child of e if it has ended.
func (r *Registry) reapManaged(e *entry) {
	status, err, taken := r.take(e)
	if !taken {
		return
	}
	faultpoint.Reach(faultpoint.BeforePublish, e.pid)
	r.cacheExitStatus(e, status, err)
	if err != nil {
		r.log.Error("lost exit status", "pid", e.pid, "error", err)
		return
	}
	logReaped(r.log, "reaped managed process", e.pid, status)
}

// take reaps the child of e and takes e out of the entries in one step: from
// then on its PID may be another's, and no signal is sent there.
func (r *Registry) take(e *entry) (status syscall.WaitStatus, err error, taken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.isRegistered(e) {
		return 0, nil, false
	}
	if e.stolen() {
		err = ErrStatusLost
	} else if pid, waitErr := wait4(e.pid, &status); waitErr != nil {
		err = ErrStatusLost
	} else if pid == 0 {
		return 0, nil, false
	}
	delete(r.entries, e.pid)
	return status, err, true
}

func (r *Registry) reapOrphan(pid int) {
	var status syscall.WaitStatus
	if got, err := wait4(pid, &status); err != nil || got == 0 {
		return
	}
	r.mu.Lock()
	r.counts.ReapedUnmanaged++
	r.mu.Unlock()
	logReaped(r.log, "reaped zombie process", pid, status)
}

// reapRegistered asks for each registered child by its PID.
func (r *Registry) reapRegistered() {
	r.mu.Lock()
	running := make([]*entry, 0, len(r.entries))
	for _, e := range r.entries {
		running = append(running, e)
	}
	r.mu.Unlock()
	for _, e := range running {
		r.reapManaged(e)
	}
}
