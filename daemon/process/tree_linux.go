package process

import (
	"maps"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// treeRounds bounds the search for descendants that fork while we look, and
	// firstPause the wait for those that are about to: 15 ms in all.
	treeRounds = 5
	firstPause = time.Millisecond
	// longestPause is how late a tree's own end may be noticed.
	longestPause = 20 * time.Millisecond
)

// killTree ends the child's group, and those of its descendants that have left
// the group, as setsid does: by SIGTERM, and what is left of them after grace by
// SIGKILL. A descendant whose parent has ended is nobody's child any more and
// lives on, which is what daemons do on purpose. The child is held, since its
// group could not be signalled any more once its PID is nobody's.
func killTree(child Child, grace time.Duration) {
	defer child.Hold()()
	t := tree{child: child, seen: map[int]stat{}, strays: map[int]stray{}}
	defer t.close()
	t.stop()
	if grace > 0 {
		t.signal(syscall.SIGTERM)
		t.signal(syscall.SIGCONT)
		t.awaitEnd(grace)
		t.stop()
	}
	t.signal(syscall.SIGKILL)
}

// tree is what is known of a command's processes.
type tree struct {
	child Child
	// seen are all of them by PID, strays those outside the child's group.
	seen   map[int]stat
	strays map[int]stray
}

// stop stops the tree: it can then neither fork nor lose its parents while it is
// looked at. A process stands some time after it was told to, and one that forks
// just then has a child which the next round finds.
func (t *tree) stop() {
	for pause, round := firstPause, 0; round < treeRounds; pause, round = 2*pause, round+1 {
		if t.signal(syscall.SIGSTOP) != nil {
			return
		}
		found, moving := t.look()
		if !found && !moving {
			return
		}
		if moving {
			time.Sleep(pause)
		}
	}
}

// signal returns os.ErrProcessDone where the child has been reaped.
func (t *tree) signal(sig syscall.Signal) error {
	err := t.child.Signal(sig)
	for _, s := range t.strays {
		s.signal(sig)
	}
	return err
}

// look says whether there are strays that were not known, and whether a process
// of the tree may still fork. The child must be there afterwards: else its PID
// may have been another's meanwhile.
func (t *tree) look() (found, moving bool) {
	now := family(t.roots())
	if t.child.Signal(syscall.Signal(0)) != nil {
		return false, false
	}
	for _, p := range now {
		moving = moving || p.mayFork()
		t.seen[p.pid] = p
		if _, known := t.strays[p.pid]; known || p.pid == t.child.PID() || p.group == t.child.PID() {
			continue
		}
		if s, ok := hold(p); ok {
			t.strays[p.pid] = s
			found = true
		}
	}
	return found, moving
}

// roots are where the search begins. Once the child has ended nothing leads from
// it to those that outlive it.
func (t *tree) roots() []stat {
	if len(t.seen) > 0 {
		return slices.Collect(maps.Values(t.seen))
	}
	own, err := readStat(t.child.PID())
	if err != nil {
		return nil
	}
	return []stat{own}
}

// awaitEnd waits until all that was seen has ended, at most for limit.
func (t *tree) awaitEnd(limit time.Duration) {
	deadline := time.Now().Add(limit)
	for pause := firstPause; t.lives(); pause = min(2*pause, longestPause) {
		left := time.Until(deadline)
		if left <= 0 {
			return
		}
		time.Sleep(min(pause, left))
	}
}

func (t *tree) lives() bool {
	for _, p := range t.seen {
		if now, err := readStat(p.pid); err == nil && now.is(p) && now.state != 'Z' {
			return true
		}
	}
	return false
}

func (t *tree) close() {
	for _, s := range t.strays {
		s.close()
	}
}

// stray is a process to be signalled by itself. Without a pidfd, which old
// kernels do not have and which needs a free descriptor, it is known by its PID
// and by when it was started.
type stray struct {
	stat
	pidfd int
}

// openPidfd is replaced by a test.
var openPidfd = unix.PidfdOpen

// hold gets hold of p and makes sure that it is the process that was seen: the
// same parent, and started in the same hundredth of a second.
func hold(p stat) (s stray, ok bool) {
	fd, err := openPidfd(p.pid, 0)
	if err != nil {
		fd = -1
	}
	s = stray{p, fd}
	if again, err := readStat(p.pid); err != nil || !again.is(p) || again.parent != p.parent {
		s.close()
		return stray{}, false
	}
	return s, true
}

func (s stray) signal(sig syscall.Signal) {
	if s.pidfd >= 0 {
		unix.PidfdSendSignal(s.pidfd, sig, nil, 0)
	} else if now, err := readStat(s.pid); err == nil && now.is(s.stat) {
		syscall.Kill(s.pid, sig)
	}
}

func (s stray) close() {
	if s.pidfd >= 0 {
		unix.Close(s.pidfd)
	}
}
