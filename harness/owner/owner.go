// Package owner marks what a run leaves on the machine with the process that answers
// for it, so that a sweep can tell what killed runs have left from what is in use.
//
// This is the mark, MakeFolder makes a folder that bears it.
package owner

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/reapcheck/reapcheck/harness/probe"
)

// Process is a process for as long as the machine is up: a PID alone comes
// again, a PID with its start time does not.
type Process struct {
	boot, pidns string
	pid         int
	start       string
}

// String is the mark, which Parse reads.
func (o Process) String() string {
	return strings.Join([]string{o.boot, o.pidns, strconv.Itoa(o.pid), o.start}, "/")
}

// This is this process.
func This() Process { return Of(os.Getpid()) }

// Of is the process that has that number now.
func Of(pid int) Process {
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	pidns, _ := os.Readlink("/proc/self/ns/pid")
	self, _ := probe.StatOf(pid)
	return Process{string(bytes.TrimSpace(boot)), strings.Trim(pidns, "pid:[]"), pid, self.Start}
}

// Parse reads String's text.
func Parse(label string) (Process, bool) {
	part := strings.Split(label, "/")
	if len(part) != 4 {
		return Process{}, false
	}
	pid, err := strconv.Atoi(part[2])
	return Process{part[0], part[1], pid, part[3]}, err == nil
}

// Dead is true only when it is certain. A process in another PID namespace
// cannot be seen from here, so it counts as alive until the machine restarts.
func (o Process) Dead() bool {
	self := This()
	if o.boot != self.boot {
		return true
	}
	if o.pidns != self.pidns {
		return false
	}
	stat, err := probe.StatOf(o.pid)
	return o.gone(stat.Start, err, syscall.Kill(o.pid, 0))
}

// gone goes by the start time. Where that cannot be read there may still be
// someone to refuse a signal: other users' processes are hidden by hidepid
// (proc(5)).
func (o Process) gone(start string, unread, signal error) bool {
	if unread == nil {
		return start != o.start
	}
	return errors.Is(signal, syscall.ESRCH)
}

// ownerFile is in each folder of a run. Its name would not do: with an owner in it
// a socket's path is too long (unix(7)).
const ownerFile = "owner"

// MakeFolder makes a temporary folder whose name begins with "reapcheck-" and kind.
// The caller removes it; if it is killed before, SweepFolders does.
func MakeFolder(kind string) (string, error) {
	folder, err := os.MkdirTemp("", "reapcheck-"+kind)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(folder, ownerFile), []byte(This().String()),
		0o644); err != nil {
		return "", errors.Join(err, os.RemoveAll(folder))
	}
	return folder, nil
}

// SweepFolders removes the temporary folders of this user's runs whose process is gone, and
// counts them.
func SweepFolders() (removed int, err error) {
	found, err := filepath.Glob(filepath.Join(os.TempDir(), "reapcheck-*", ownerFile))
	for _, path := range found {
		folder := filepath.Dir(path)
		label, errRead := os.ReadFile(path)
		if o, ok := Parse(string(label)); errRead != nil || !ok || !o.Dead() || !ownFile(folder) {
			continue
		}
		if errRemove := os.RemoveAll(folder); errRemove != nil {
			err = errors.Join(err, fmt.Errorf("remove folder of a dead run: %w", errRemove))
			continue
		}
		removed++
	}
	return removed, err
}

// ownFile says whether this user has made a file: anybody may make one beside it.
func ownFile(path string) bool {
	info, err := os.Lstat(path)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
