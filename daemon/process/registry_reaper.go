package process

import (
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/daemon/faultpoint"
)

const (
	// restInterval is how often the reaper asks for every registered child, to
	// notice what no SIGCHLD tells: that somebody else has reaped one.
	restInterval = time.Second
	// suspectInterval is how soon it does so behind a zombie that has to stay.
	suspectInterval = 20 * time.Millisecond
)

// wake asks for another pass, as a signal does. It never blocks.
func (r *Registry) wake() {
	select {
	case r.signals <- syscall.SIGCHLD:
	default:
	}
}

// run is the only goroutine that waits for children, but for os/exec itself,
// which reaps a child whose exec has failed.
func (r *Registry) run() {
	defer close(r.done)
	rest := time.NewTicker(restInterval)
	defer rest.Stop()
	var retry <-chan time.Time // kept until it comes, however many signals come first
	for {
		if r.reapZombies() {
			retry = nil
		} else if retry == nil {
			retry = time.After(suspectInterval)
		}
		select {
		case <-r.signals:
		case <-rest.C:
			r.reapRegistered()
		case <-retry:
			retry = nil
			r.reapRegistered()
		case <-r.stop:
			r.reapZombies()
			return
		}
	}
}

// reapZombies reaps what has ended and returns true when nothing is left, false
// when the zombie in front has to stay for now.
func (r *Registry) reapZombies() (all bool) {
	if !canPeek {
		r.reapRegistered()
	}
	for {
		pid, e, orphan := r.nextZombie()
		if pid == 0 {
			return true
		}
		faultpoint.Reach(faultpoint.BeforeReap, pid)
		switch {
		case e != nil && r.reapManaged(e):
		case orphan:
			r.reapOrphan(pid)
		default:
			return false
		}
	}
}

// nextZombie finds a zombie and the start that it belongs to, or says that it is
// an orphan. Neither means that it is too early to know: the reaper is woken
// when the owner is registered, or a start ends that may have been the owner.
func (r *Registry) nextZombie() (pid int, e *entry, orphan bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pid = peekZombie()
	if e := r.entries[pid]; e != nil || pid == 0 {
		return pid, e, false
	}
	if r.suspect.pid != pid {
		r.suspect = suspect{pid: pid, ticket: r.tickets}
	}
	if oldest := r.starting.Front(); oldest != nil && oldest.Value.(uint64) <= r.suspect.ticket {
		return pid, nil, false
	}
	r.suspect = suspect{}
	return pid, nil, true
}

// reapManaged reaps the child of e if it has ended and nobody has pinned it.
func (r *Registry) reapManaged(e *entry) (taken bool) {
	status, err, taken := r.take(e)
	if !taken {
		return false
	}
	faultpoint.Reach(faultpoint.BeforePublish, e.pid)
	r.publish(e, status, err)
	if err != nil {
		r.log.Error("lost exit status", "pid", e.pid, "error", err)
	} else {
		logReaped(r.log, "reaped managed process", e.pid, status)
	}
	return true
}

// take reaps the child of e and takes e out of the entries in one step: from
// then on its PID may be another's, and no signal is sent there.
func (r *Registry) take(e *entry) (status syscall.WaitStatus, err error, taken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.isRegistered(e) || e.pinned {
		return 0, nil, false
	}
	if e.stolen() {
		err = ErrStatusLost
	} else if pid, waitErr := wait4(e.pid, &status); waitErr != nil {
		err = ErrStatusLost
	} else if pid == 0 || status.Stopped() {
		return 0, nil, false // a child that asked to be traced is said to stop (ptrace(2))
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
	running := slices.Collect(maps.Values(r.entries))
	r.mu.Unlock()
	for _, e := range running {
		r.reapManaged(e)
	}
}
