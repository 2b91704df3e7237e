package namespace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/probe"
)

// freezeLimit bounds the wait for the last process to stop, which takes as long
// as its system call does.
const freezeLimit = await.Broken

// Freeze sends SIGSTOP to each process, and again to those that were started
// meanwhile. It needs no control group, which only root may make. Other than in
// a frozen group a parent sees SIGCHLD when a child stops or goes on (wait(2)),
// but no one can take the signal itself amiss: what comes from outside stops
// PID 1 too (pid_namespaces(7)).
func (s *namespaced) Freeze(ctx context.Context) error {
	told := map[int]int{}
	err := await.Wait{
		For:   "0 running processes",
		Every: time.Millisecond,
		Limit: freezeLimit,
	}.Until(ctx, func() (any, bool, error) {
		running, err := s.stopAll(told)
		return running, running == 0, err
	})
	if err != nil {
		return errors.Join(fmt.Errorf("freeze %s: %w", s.name, err), s.Thaw(ctx))
	}
	return nil
}

// stopAll says how many were not seen to have stopped. It notes in told whom it
// has sent the signal, by a pidfd.
func (s *namespaced) stopAll(told map[int]int) (running int, err error) {
	if !s.pids.Has(s.PID()) {
		return 0, os.ErrProcessDone
	}
	// The target first, and at once: a look at all of a busy machine's processes has
	// taken a second, in which it answered.
	if len(told) == 0 {
		if err := s.stop(s.PID(), told); err != nil {
			return 0, err
		}
	}
	all, err := probe.Look(s.PID())
	if err != nil {
		return 0, err
	}
	for _, p := range all {
		if _, sent := told[p.PID]; p.Zombie() || probe.Still(p.PID, sent) {
			continue
		}
		running++
		if err := s.stop(p.PID, told); err != nil {
			return running, err
		}
	}
	return running, nil
}

// stop remembers whom it stops by a pidfd, which no later process has, and by
// one only.
func (s *namespaced) stop(pid int, told map[int]int) error {
	if fd, sent := told[pid]; sent && unix.PidfdSendSignal(fd, unix.SIGSTOP, nil, 0) == nil {
		return nil
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	if !s.pids.Has(pid) { // the number is another's now
		return unix.Close(fd)
	}
	s.frozen, told[pid] = append(s.frozen, fd), fd
	if err := unix.PidfdSendSignal(fd, unix.SIGSTOP, nil, 0); !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

// Thaw sends SIGCONT to those that Freeze has stopped, and to no others: a
// command may have stopped itself.
func (s *namespaced) Thaw(context.Context) error {
	var errs []error
	for _, fd := range s.frozen {
		if err := unix.PidfdSendSignal(fd, unix.SIGCONT, nil, 0); err != nil &&
			!errors.Is(err, unix.ESRCH) {
			errs = append(errs, fmt.Errorf("thaw %s: %w", s.name, err))
		}
		unix.Close(fd)
	}
	s.frozen = nil
	return errors.Join(errs...)
}
