// Package probe says what /proc tells of a sandbox from outside: which
// processes live in it, which are zombies, and what each of them holds.
//
// Look is the front door. It only reads, and it reads this host's /proc, so the
// sandbox must be on this machine; nothing runs inside it.
package probe

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Process is one process of a sandbox at the moment of the look.
type Process struct {
	PID    int // as this host counts
	Inner  int // as the sandbox counts; PID 1 is 1
	Parent int // as this host counts
	Name   string
	State  string // one letter of proc(5): "S" sleeps, "Z" is a zombie
	// Threads is 1 for a zombie, Files and RSS (bytes) are then 0.
	Threads int
	Files   int
	RSS     int
	PeakRSS int // bytes; the highest so far
	// CPU is the time that it has spent on CPUs so far, and Reaped the time of
	// the children that it has reaped, and of those that they had.
	CPU, Reaped time.Duration

	asked bool // the look was at its sandbox
}

// Zombie is true for a process that has ended and was not reaped.
func (p Process) Zombie() bool { return p.State == "Z" }

// Snapshot is every process of one PID namespace, in the order of Inner.
type Snapshot []Process

// Target is the process that was asked about, or else PID 1; the zero Process where that has
// ended.
func (s Snapshot) Target() Process {
	for _, p := range s {
		if p.asked {
			return p
		}
	}
	if len(s) == 0 || s[0].Inner != 1 {
		return Process{}
	}
	return s[0]
}

// Others are all but the target.
func (s Snapshot) Others() Snapshot {
	target := s.Target().PID
	return slices.DeleteFunc(slices.Clone(s), func(p Process) bool { return p.PID == target })
}

// Since are those that an earlier look at the same sandbox has not seen: its commands, say, and
// no helper of the target's.
func (s Snapshot) Since(before Snapshot) Snapshot {
	return slices.DeleteFunc(slices.Clone(s), func(p Process) bool { return before.Has(p.PID) })
}

// Has says whether one of them has that number on this host.
func (s Snapshot) Has(pid int) bool {
	return slices.ContainsFunc(s, func(p Process) bool { return p.PID == pid })
}

// Named are those of that name that have not ended.
func (s Snapshot) Named(name string) Snapshot {
	return slices.DeleteFunc(slices.Clone(s), func(p Process) bool { return p.Name != name || p.Zombie() })
}

// Zombies are those that have ended and were not reaped.
func (s Snapshot) Zombies() Snapshot {
	return slices.DeleteFunc(slices.Clone(s), func(p Process) bool { return !p.Zombie() })
}

// String is a table for people.
func (s Snapshot) String() string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PID\tHOST PID\tPARENT\tSTATE\tTHREADS\tFILES\tRSS KB\tNAME")
	for _, p := range s {
		fmt.Fprintf(table, "%d\t%d\t%d\t%s\t%d\t%d\t%d\t%s\n", p.Inner, p.PID, p.Parent, p.State,
			p.Threads, p.Files, p.RSS>>10, p.Name)
	}
	table.Flush()
	return text.String()
}

// ErrUnseen means that the sandbox cannot be looked into from here.
var ErrUnseen = errors.New("sandbox cannot be seen from here")

// Look lists the PID namespace of the process that this host knows as pid,
// which is what Sandbox.PID returns. A process that ends during the look is
// left out or listed, as it happens.
func Look(pid int) (Snapshot, error) {
	if pid <= 0 {
		return nil, fmt.Errorf("%w: its engine is on another machine", ErrUnseen)
	}
	namespace, err := pidNamespace(pid)
	if err != nil {
		return nil, unread(pid, err)
	}
	all, err := Processes()
	if err != nil {
		return nil, err
	}
	var seen Snapshot
	for _, e := range all {
		if ns, err := namespaces.of(e); err != nil || ns != namespace {
			continue // an unreadable one is another user's, so it is not in this sandbox
		}
		p, err := read(e.PID)
		if Gone(err) {
			continue
		}
		if err != nil {
			return nil, unread(e.PID, err)
		}
		p.asked = p.PID == pid
		seen = append(seen, p)
	}
	slices.SortFunc(seen, func(a, b Process) int { return a.Inner - b.Inner })
	return seen, nil
}

// LookAt looks at one process alone, by the number that this host knows it by.
func LookAt(pid int) (Process, error) {
	p, err := read(pid)
	p.asked = true
	if err != nil {
		err = unread(pid, err)
	}
	return p, err
}

// unread says why a process was not read. Containers run as root, so whoever may
// start them may still not look into them.
func unread(pid int, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: process %d belongs to another user; run as root (sudo -E), or with "+
			"--runtime=namespace", ErrUnseen, pid)
	}
	return fmt.Errorf("look at process %d: %w", pid, err)
}

// Signal sends sig to p, and to no one who was given its number since. That it has
// ended is no error.
func (p Process) Signal(sig unix.Signal) error {
	fd, err := unix.PidfdOpen(p.PID, 0)
	if err == unix.ESRCH {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open process %d: %w", p.PID, err)
	}
	defer unix.Close(fd)
	now, err := LookAt(p.PID)
	if Gone(err) || err == nil && (now.Inner != p.Inner || now.Name != p.Name) {
		return nil
	}
	if err == nil {
		err = unix.PidfdSendSignal(fd, sig, nil, 0)
	}
	if err == unix.ESRCH {
		return nil
	}
	if err != nil {
		return fmt.Errorf("send %v to process %d: %w", sig, p.PID, err)
	}
	return nil
}

// tick is the unit of proc(5)'s times on all of Go's Linux platforms (USER_HZ).
const tick = 10 * time.Millisecond

// procFS is /proc, which procfs would otherwise look at anew for each process.
var procFS = sync.OnceValues(procfs.NewDefaultFS)

func read(pid int) (Process, error) {
	all, err := procFS()
	if err != nil {
		return Process{}, err
	}
	proc, err := all.Proc(pid)
	if err != nil {
		return Process{}, err
	}
	stat, err := proc.Stat()
	if err != nil {
		return Process{}, err
	}
	status, err := proc.NewStatus()
	if err != nil {
		return Process{}, err
	}
	p := Process{
		PID: proc.PID, Inner: int(status.NSpids[len(status.NSpids)-1]), Parent: stat.PPID,
		Name: stat.Comm, State: stat.State, Threads: stat.NumThreads, RSS: stat.ResidentMemory(),
		PeakRSS: int(status.VmHWM), CPU: time.Duration(stat.CPUTime() * float64(time.Second)),
		Reaped: time.Duration(stat.CUTime+stat.CSTime) * tick,
	}
	if !p.Zombie() {
		p.Files, err = files(proc)
	}
	return p, err
}

// files counts the open files. A process that has let go of its memory on its way
// to the end is root's alone to look into (fs/proc/base.c, task_dump_owner), and
// closes its files next.
func files(proc procfs.Proc) (int, error) {
	n, err := proc.FileDescriptorsLen()
	if !errors.Is(err, fs.ErrPermission) {
		return n, err
	}
	now, errStat := proc.Stat()
	switch {
	case errStat != nil:
		return 0, errStat
	case now.RSS == 0:
		return 0, nil
	}
	return 0, err
}

// Gone recognises a process that ended while it was read: its files are not
// there any more, or say ESRCH.
func Gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}

// Kernel is this machine's, such as "Linux 6.14.0".
func Kernel() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "unknown kernel"
	}
	return unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
}

// Stat is what is asked most of a process or thread, and costs one file.
type Stat struct {
	State  byte // a letter of proc(5)
	Parent int  // as the namespace of that /proc counts
	Group  int  // its process group, counted in the same way
	Start  string
}

// ReadStat reads /proc/<pid>/stat, or that of a thread. Start is in clock ticks
// since the machine's own. Fields are counted from the last parenthesis, because
// the name before it may hold spaces and any parenthesis (proc(5)).
func ReadStat(path string) (s Stat, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return s, err
	}
	fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
	const state, parent, group, start = 3, 4, 5, 22
	if len(fields) <= start-state {
		return s, fmt.Errorf("read %s: %d fields after the name, more than %d expected", path,
			len(fields), start-state)
	}
	s.State, s.Start = fields[0][0], string(fields[start-state])
	s.Parent, err = strconv.Atoi(string(fields[parent-state]))
	if err != nil {
		return s, err
	}
	s.Group, err = strconv.Atoi(string(fields[group-state]))
	return s, err
}

// StatOf is ReadStat of a process.
func StatOf(pid int) (Stat, error) { return ReadStat(fmt.Sprintf("/proc/%d/stat", pid)) }
