package process

import (
	"maps"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// stopLimit bounds the search for descendants that fork while we look. A process takes
	// its signal when it gets a CPU, for which busy machines let it wait a second.
	stopLimit = 2 * time.Second
	// stuckLimit bounds the wait for one in a call that no signal ends. Such are a fork(2),
	// which waits for whoever moves processes between control groups, and a vfork(2), which
	// waits for a child that may stand already.
	stuckLimit = 500 * time.Millisecond
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
	defer child.Pin()()
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
	began := time.Now()
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		if t.signal(syscall.SIGSTOP) != nil {
			return
		}
		seen, passed := t.look(), time.Since(began)
		moving := seen.runs || seen.stuck && passed < stuckLimit
		if !seen.strays && !moving || passed > stopLimit {
			return
		}
		if moving {
			time.Sleep(pause)
		}
	}
}

// sight is what one look at a tree has found: strays that were not known, and
// processes that may still fork, since they run or are in a system call that no
// signal ends.
type sight struct{ strays, runs, stuck bool }

// signal returns os.ErrProcessDone where the child has been reaped.
func (t *tree) signal(sig syscall.Signal) error {
	err := t.child.Signal(sig)
	for _, s := range t.strays {
		s.signal(sig)
	}
	return err
}

// look finds what belongs to the tree. The child must be there afterwards: else its
// PID may have been another's meanwhile.
func (t *tree) look() (seen sight) {
	now := family(t.roots())
	if t.child.Signal(syscall.Signal(0)) != nil {
		return sight{}
	}
	for _, p := range now {
		seen.runs = seen.runs || p.state == 'R'
		seen.stuck = seen.stuck || p.state == 'D'
		t.seen[p.pid] = p
		if _, known := t.strays[p.pid]; known || p.pid == t.child.PID() ||
			p.group == t.child.PID() {
			continue
		}
		if s, ok := openStray(p); ok {
			t.strays[p.pid] = s
			seen.strays = true
		}
	}
	return seen
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

// openStray opens p and makes sure that it is the process that was seen: the
// same parent, and started in the same hundredth of a second.
func openStray(p stat) (s stray, ok bool) {
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
