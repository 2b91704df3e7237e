package late

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/prometheus/procfs"
	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// watch tells hits from other calls.
type watch interface {
	// begins says at the entry to a call whether it may be a hit.
	begins(tid int, call trace.Call) bool
	// hits says at its exit whether it is one.
	hits(tid int, call trace.Call, result int64) bool
	// executed is told of a process that the target has started, once it has executed
	// a program or ends without.
	executed(pid int)
}

// threads are what is followed of every target: its threads, and that it executes a
// program.
const threads = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEEXEC

// watchFor returns what looks for the hits of a call, and the options to trace with.
func watchFor(call Call) (watch, int, error) {
	switch call {
	case Wait4:
		return takes{}, threads, nil
	case Close:
		return pidfds{}, threads, nil
	case Read:
		return pipes{}, trace.Options, nil
	}
	return nil, 0, fmt.Errorf("no return of %q can be delayed: choose %s, %s or %s",
		call, Wait4, Read, Close)
}

// takes hits where wait4(2) has taken a child.
type takes struct{}

func (takes) begins(_ int, call trace.Call) bool { return call.Number == unix.SYS_WAIT4 }
func (takes) hits(_ int, _ trace.Call, result int64) bool {
	return result > 0
}
func (takes) executed(int) {}

// pidfds hits where close(2) has closed a pidfd, which can be told before.
type pidfds struct{}

func (pidfds) begins(tid int, call trace.Call) bool {
	return call.Number == unix.SYS_CLOSE &&
		file(tid, int(int32(call.Args[0]))) == "anon_inode:[pidfd]"
}
func (pidfds) hits(_ int, _ trace.Call, result int64) bool { return result == 0 }
func (pidfds) executed(int)                                {}

// pipes tells the pipe whose end says that exec is over from those that carry what a
// command writes. Both are at their end once for each command. But the latter are its
// standard streams when it executes its program, or ends without, and the former closes
// with exec. The set holds those that are a standard stream or have been a hit.
//
// Rust's std has a pair of sockets of the type SEQPACKET in the place of that pipe, since Linux
// can send a pidfd over one (library/std/src/sys/process/unix/unix.rs); what carries output is
// of no such type anywhere.
//
// It is deceived by a target that learns of a command's end by a further pipe, which the
// command inherits under a number above 2.
type pipes map[string]bool

func (pipes) begins(_ int, call trace.Call) bool {
	return (call.Number == unix.SYS_READ || call.Number == unix.SYS_RECVFROM) && call.Args[2] > 0
}

func (p pipes) hits(tid int, call trace.Call, result int64) bool {
	if result != 0 {
		return false
	}
	pipe := file(tid, int(int32(call.Args[0])))
	if p[pipe] || !strings.HasPrefix(pipe, "pipe:") && !packets(tid, pipe) {
		return false
	}
	p[pipe] = true
	return true
}

func (p pipes) executed(pid int) {
	for stream := range 3 {
		if pipe := file(pid, stream); strings.HasPrefix(pipe, "pipe:") {
			p[pipe] = true
		}
	}
}

// packets says whether a file of a thread is a Unix socket of the type SEQPACKET, by
// /proc/net/unix (proc(5)).
func packets(tid int, file string) bool {
	if !strings.HasPrefix(file, "socket:") {
		return false
	}
	of, err := procfs.NewFS(fmt.Sprintf("/proc/%d", tid))
	if err != nil {
		return false
	}
	sockets, err := of.NetUNIX()
	return err == nil && slices.ContainsFunc(sockets.Rows, func(s *procfs.NetUNIXLine) bool {
		return s.Type == unix.SOCK_SEQPACKET && file == fmt.Sprintf("socket:[%d]", s.Inode)
	})
}

// file is the kernel's name for an open file of a thread; empty for none.
func file(tid, fd int) string {
	link, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", tid, fd))
	return link
}
