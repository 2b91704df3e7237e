package seccomp

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/reapcheck/reapcheck/harness/probe"
)

// family is the target and its children, seen through this host's /proc.
// Process IDs are this host's unless they are called inner.
type family struct {
	target int
	// depth is how many PID namespaces lie between this host and the target.
	depth int
}

var (
	errGone     = errors.New("child has been reaped")
	errNotChild = errors.New("not a child of the target")
)

func newFamily(target int) (family, error) {
	f := family{target: target}
	inner, err := innerIDs(target)
	f.depth = len(inner) - 1
	return f, err
}

// identify returns the process that a call is about: errGone where it has been
// reaped.
func (f family) identify(c call) (int, error) {
	if c.pidfd {
		return f.ofPidfd(c.child)
	}
	return f.ofInner(c.child)
}

// ofPidfd reads the line Pid of the pidfd's fdinfo, which is -1 once the
// process has been reaped (pidfd_open(2)).
func (f family) ofPidfd(fd int) (int, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", f.target, fd))
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf(
			"%w: the target is another user's; run as root, or on the fallback wait path, "+
				"where calls name children by their PIDs", err)
	}
	if err != nil {
		return 0, fmt.Errorf("look at pidfd %d of the target: %w", fd, err)
	}
	for line := range strings.Lines(string(raw)) {
		number, ok := strings.CutPrefix(line, "Pid:")
		if !ok {
			continue
		}
		pid, err := strconv.Atoi(strings.TrimSpace(number))
		if err == nil && pid <= 0 {
			err = errGone
		}
		return pid, err
	}
	return 0, fmt.Errorf("look at pidfd %d of the target: %w", fd, errNotChild)
}

// ofInner looks for the child that the target knows by a number.
func (f family) ofInner(inner int) (int, error) {
	for _, list := range []func() ([]int, error){f.children, f.allChildren} {
		children, err := list()
		if err != nil {
			return 0, err
		}
		for _, pid := range children {
			if f.inner(pid) == inner {
				return pid, nil
			}
		}
	}
	return 0, errGone
}

// inner is how the target numbers a process; 0 where it has ended.
func (f family) inner(pid int) int {
	ids, err := innerIDs(pid)
	if err != nil || len(ids) <= f.depth {
		return 0
	}
	return ids[f.depth]
}

// children may miss one (probe.Children).
func (f family) children() ([]int, error) { return probe.Children(f.target) }

// allChildren misses none: it looks at each process of this host.
func (f family) allChildren() ([]int, error) {
	listed, err := probe.Processes()
	if err != nil {
		return nil, err
	}
	var all []int
	for _, p := range listed {
		if stat, err := probe.StatOf(p.PID); err == nil && stat.Parent == f.target {
			all = append(all, p.PID)
		}
	}
	return all, nil
}

// zombies splits the children into those that have ended and the others. It may
// miss one, but says that there are none only where that is so.
func (f family) zombies() (dead, alive []int, err error) {
	for _, list := range []func() ([]int, error){f.children, f.allChildren} {
		children, err := list()
		if err != nil {
			return nil, nil, err
		}
		if dead, alive = f.split(children); len(dead)+len(alive) > 0 {
			break
		}
	}
	return dead, alive, nil
}

// split leaves out what is a child no more.
func (f family) split(children []int) (dead, alive []int) {
	for _, pid := range children {
		stat, err := probe.StatOf(pid)
		switch {
		case err != nil || stat.Parent != f.target:
		case stat.State == 'Z':
			dead = append(dead, pid)
		default:
			alive = append(alive, pid)
		}
	}
	return dead, alive
}

// innerIDs are a process's numbers from this host's PID namespace inwards.
func innerIDs(pid int) ([]int, error) {
	numbers, err := statusLine(pid, "NSpid:")
	if err != nil {
		return nil, err
	}
	var ids []int
	for _, field := range strings.Fields(numbers) {
		id, err := strconv.Atoi(field)
		if err != nil {
			return nil, fmt.Errorf("read NSpid of process %d: %w", pid, err)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// statusLine is what follows a name in /proc/<pid>/status.
func statusLine(pid int, name string) (string, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "", fmt.Errorf("look at process %d: %w", pid, err)
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(value), nil
		}
	}
	return "", fmt.Errorf("look at process %d: no line %s in its status", pid, name)
}
