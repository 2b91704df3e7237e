package tracer

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/clock"
	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// thread is one traced thread, of the target or of a process that it has started.
type thread struct {
	tid     int
	command *command // nil for the target's own
	seat    *trace.Seat
	stopped bool // it is held
	asleep  bool // it was when it was last looked at
	sleep   trace.Sleep

	inside   bool // a call
	parkedAt int  // what tracer.wakes was when it was seen asleep in this call; 0 is not yet
	spins    int  // how often it gave way since it did anything else
	call     trace.Call
	timeout  *clock.Timeout // that the call sleeps with
	undo     func() error   // puts back what the call was entered with
	due      bool           // its time is up, and it was woken
	back     bool           // it is to sleep again, with SIGCHLD before that
	// again is a call that a signal or the tracer has interrupted and that the kernel
	// will enter once more by itself.
	again    *trace.Call
	narrowed bool // its wait for any child has been made one for a certain child
	wide     bool // it is not to be: there was no such child
}

// command is one process that the target has started.
type command struct {
	number int // from 1; 0 for one that nobody counts, such as a grandchild
	of     int // of a grandchild that counts: the command that has started it
	pid    int // as this process counts
	inside int // as the target counts
	// status are the pipes that the child could write to before its execve and not
	// after it: by the end of one of them the target learns that the program runs.
	status map[uint64]bool
	output map[uint64]bool // pipes that are its standard output or error
	exec   bool            // it has executed a program
	known  bool            // the target has been told that it runs
	dying  bool            // it has been held at its exit, or let go from there
	dead   bool
}

func (t *tracer) add(tid int) *thread {
	th := &thread{tid: tid}
	th.seat, _ = trace.OpenSeat(tid) // nil is a thread that never sleeps, until it has ended
	t.threads[tid] = th
	return th
}

// meet is for a thread that has just come up, before it has run.
func (t *tracer) meet(tid int) *thread {
	th := t.add(tid)
	if group, _ := statusNumber(tid, "Tgid"); group == t.target {
		return th
	}
	c := &command{pid: tid, status: map[uint64]bool{}, output: map[uint64]bool{}}
	c.inside, _ = statusNumber(tid, "NSpid")
	t.number(c)
	writesUntilExec := func(flags int) bool {
		return flags&unix.O_CLOEXEC != 0 && flags&unix.O_ACCMODE == unix.O_WRONLY
	}
	for inode := range pipes(tid, writesUntilExec) {
		c.status[inode] = true
	}
	th.command = c
	return th
}

// number makes a process one whose events are held, if it is.
func (t *tracer) number(c *command) {
	parent, _ := statusNumber(c.pid, "PPid")
	switch i := slices.IndexFunc(t.commands, func(o *command) bool { return o.pid == parent }); {
	case !t.holding:
	case parent == t.target:
		t.commands = append(t.commands, c)
		c.number = len(t.commands)
	case i >= 0 && t.watch.Orphans:
		t.orphans = append(t.orphans, c)
		c.of = t.commands[i].number
	}
}

func (t *tracer) remove(th *thread) {
	th.seat.Close()
	t.turns.leave(th)
	delete(t.threads, th.tid)
	t.clock.Wake(th.tid)
	if c := th.command; c != nil && c.pid == th.tid {
		c.dead = true
	}
}

// inside is the command that has a number as the target counts; nil for none. Where a
// number was used again it is the last one's.
func (t *tracer) inside(pid int) *command {
	for i := len(t.commands) - 1; i >= 0; i-- {
		if t.commands[i].inside == pid {
			return t.commands[i]
		}
	}
	return nil
}

// executed is what a command has become. even gives its output's pipes one capacity.
func (c *command) executed(even bool) {
	c.exec = true
	for _, fd := range []int{1, 2} {
		if inode, ok := pipeOf(c.pid, fd); ok {
			c.output[inode] = true
			delete(c.status, inode)
			if even {
				makeEven(c.pid, fd)
			}
		}
	}
}

// smallPipe is the capacity that the kernel gives to pipes of a user who has many already, and
// who may not have more (pipe(7), pipe-user-pages-soft). Others get eight times as much.
const smallPipe = 8 << 10

// makeEven gives a command's pipe that capacity: when it must wait for its output to be read is
// not to depend on who runs it, and what else that user does.
func makeEven(pid, fd int) {
	pipe, err := unix.Open(fmt.Sprintf("/proc/%d/fd/%d", pid, fd),
		unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return // the command is gone
	}
	_, _ = unix.FcntlInt(uintptr(pipe), unix.F_SETPIPE_SZ, smallPipe)
	_ = unix.Close(pipe)
}

// pipes are the pipes that a process has open, by inode, of those files whose flags
// are wanted.
func pipes(pid int, wanted func(flags int) bool) map[uint64]bool {
	found := map[uint64]bool{}
	folder := fmt.Sprintf("/proc/%d/fd", pid)
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		fd, _ := strconv.Atoi(entry.Name())
		if inode, ok := pipeOf(pid, fd); ok && wanted(fileFlags(pid, fd)) {
			found[inode] = true
		}
	}
	return found
}

func pipeOf(pid, fd int) (inode uint64, ok bool) {
	link, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "fd", strconv.Itoa(fd)))
	text, isPipe := strings.CutPrefix(link, "pipe:[")
	if err != nil || !isPipe {
		return 0, false
	}
	inode, err = strconv.ParseUint(strings.TrimSuffix(text, "]"), 10, 64)
	return inode, err == nil
}

func fileFlags(pid, fd int) int {
	text, _ := infoLine(pid, fd, "flags:")
	flags, _ := strconv.ParseInt(text, 8, 64)
	return int(flags)
}

// infoLine is what /proc says of an open file.
func infoLine(pid, fd int, label string) (string, bool) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%d", pid, fd))
	return lineOf(string(text), label)
}

// statusNumber is the last number behind a label of /proc/<pid>/status, which for
// NSpid is the innermost namespace's.
func statusNumber(pid int, label string) (int, error) {
	number, err := statusWord(pid, label, 10)
	return int(number), err
}

// statusWord is statusNumber in another base.
func statusWord(pid int, label string, base int) (uint64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	line, _ := lineOf(string(text), label+":")
	words := strings.Fields(line)
	if len(words) == 0 {
		return 0, fmt.Errorf("process %d has no %s", pid, label)
	}
	return strconv.ParseUint(words[len(words)-1], base, 64)
}

func lineOf(text, label string) (string, bool) {
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, label); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}
