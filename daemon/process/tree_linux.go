package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// treeRounds bounds the search for descendants that fork while we look.
const treeRounds = 5

// killTree kills the child's group, and those of its descendants that have left
// the group, as setsid does. The group is stopped first, and each descendant
// when it is found: a stopped tree can neither fork nor lose its parents while
// it is walked. A descendant whose parent has ended is nobody's child any more
// and lives on, which is what daemons do on purpose. The child is held, since
// what was stopped could not be killed any more once its PID is nobody's.
func killTree(child Child) {
	defer child.Hold()()
	strays := make(map[int]stray)
	for range treeRounds {
		if child.Signal(syscall.SIGSTOP) != nil || !findStrays(child, strays) {
			break
		}
	}
	child.Signal(syscall.SIGKILL)
	for _, s := range strays {
		s.signal(syscall.SIGKILL)
		s.close()
	}
}

// findStrays stops the descendants that are outside the child's group, adds
// them to strays by PID and says whether there were new ones. The child must
// still be there afterwards: else its PID may have been another's meanwhile.
func findStrays(child Child, strays map[int]stray) (found bool) {
	fresh := make(map[int]stray)
	for _, p := range descendants(child.PID()) {
		if _, known := strays[p.pid]; known || p.group == child.PID() {
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

// descendants lists the children of root, their children, and so on.
func descendants(root int) []stat {
	children := make(map[int][]stat)
	for _, p := range table.read() {
		children[p.parent] = append(children[p.parent], p)
	}
	all := children[root]
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i].pid]...)
	}
	return all
}

// Zombies counts the children of this process that have ended and have not
// been reaped.
func Zombies() int {
	n := 0
	for _, p := range table.read() {
		if p.parent == os.Getpid() && p.state == 'Z' {
			n++
		}
	}
	return n
}

// stat is what /proc/<pid>/stat says of a process.
type stat struct {
	pid, parent, group int
	state              byte
	started            uint64 // clock ticks since boot
}

// readStat parses from the last parenthesis on, since the name in front of it
// may hold anything (proc_pid_stat(5)).
func readStat(pid int) (stat, error) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, err
	}
	fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
	if len(fields) < 20 {
		return stat{}, fmt.Errorf("parse /proc/%d/stat: %q is too short", pid, raw)
	}
	p := stat{pid: pid, state: fields[0][0]}
	p.parent, _ = strconv.Atoi(string(fields[1]))
	p.group, _ = strconv.Atoi(string(fields[2]))
	p.started, _ = strconv.ParseUint(string(fields[19]), 10, 64)
	return p, nil
}
