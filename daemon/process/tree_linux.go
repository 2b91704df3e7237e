package process

import (
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// treeRounds bounds the search for descendants that fork while we look, and
// firstPause the wait for those that are about to: 15 ms in all.
const (
	treeRounds = 5
	firstPause = time.Millisecond
)

// killTree kills the child's group, and those of its descendants that have left
// the group, as setsid does. The group is stopped first, and each descendant
// when it is found: a stopped tree can neither fork nor lose its parents while
// it is walked. A descendant whose parent has ended is nobody's child any more
// and lives on, which is what daemons do on purpose. The child is held, since
// what was stopped could not be killed any more once its PID is nobody's.
func killTree(child Child) {
	defer child.Hold()()
	strays := stopTree(child)
	child.Signal(syscall.SIGKILL)
	for _, s := range strays {
		s.signal(syscall.SIGKILL)
		s.close()
	}
}

// stopTree stops the child's group and the descendants outside of it, which it
// returns by PID. A process stands some time after it was told to, and one that
// forks just then has a child which the next round finds.
func stopTree(child Child) map[int]stray {
	strays := make(map[int]stray)
	for pause, round := firstPause, 0; round < treeRounds; pause, round = 2*pause, round+1 {
		if child.Signal(syscall.SIGSTOP) != nil {
			break
		}
		tree := family(child.PID())
		if moving := mayFork(tree); !findStrays(child, tree, strays) && !moving {
			break
		} else if moving {
			time.Sleep(pause)
		}
	}
	return strays
}

// mayFork says whether one of these runs, or is in a system call that no signal
// ends, as fork(2) is. One that sleeps takes its signal when it wakes.
func mayFork(tree []stat) bool {
	return slices.ContainsFunc(tree, func(p stat) bool { return p.state == 'R' || p.state == 'D' })
}

// findStrays stops those of the child's tree that are outside its group, adds
// them to strays by PID and says whether there were new ones. The child must
// still be there afterwards: else its PID may have been another's meanwhile.
func findStrays(child Child, tree []stat, strays map[int]stray) (found bool) {
	fresh := make(map[int]stray)
	for _, p := range tree {
		if _, known := strays[p.pid]; known || p.pid == child.PID() || p.group == child.PID() {
			continue
		}
		if s, ok := hold(p); ok {
			fresh[p.pid] = s
		}
	}
	alive := child.Signal(syscall.Signal(0)) == nil
	for pid, s := range fresh {
		if !alive {
			s.close()
			continue
		}
		s.signal(syscall.SIGSTOP)
		strays[pid] = s
	}
	return alive && len(fresh) > 0
}

// stray is a process to be killed. Without a pidfd, which old kernels do not
// have and which needs a free descriptor, it is known by its PID: that is safe
// as long as its parent is stopped and so cannot reap it.
type stray struct{ pid, pidfd int }

// openPidfd is replaced by a test.
var openPidfd = unix.PidfdOpen

// hold gets hold of p and makes sure that it is the process that was seen: the
// same parent, and started in the same hundredth of a second.
func hold(p stat) (s stray, ok bool) {
	fd, err := openPidfd(p.pid, 0)
	if err != nil {
		fd = -1
	}
	s = stray{p.pid, fd}
	if again, err := readStat(p.pid); err != nil || again.started != p.started || again.parent != p.parent {
		s.close()
		return stray{}, false
	}
	return s, true
}

func (s stray) signal(sig syscall.Signal) {
	if s.pidfd < 0 {
		syscall.Kill(s.pid, sig)
		return
	}
	unix.PidfdSendSignal(s.pidfd, sig, nil, 0)
}

func (s stray) close() {
	if s.pidfd >= 0 {
		unix.Close(s.pidfd)
	}
}
