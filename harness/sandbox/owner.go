package sandbox

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/reapcheck/reapcheck/harness/probe"
)

const (
	// runLabel carries the run's ID on every container and image.
	runLabel = "org.reapcheck.run"
	// ownerLabel carries the process that answers for them.
	ownerLabel = "org.reapcheck.owner"
	// baseLabel marks a base image that was made here. Runs share it.
	baseLabel = "org.reapcheck.base"
)

// owner is a process for as long as the machine is up: a PID alone comes
// again, a PID with its start time does not.
type owner struct {
	boot, pidns string
	pid         int
	start       string
}

func (o owner) String() string {
	return strings.Join([]string{o.boot, o.pidns, strconv.Itoa(o.pid), o.start}, "/")
}

func thisProcess() owner {
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	pidns, _ := os.Readlink("/proc/self/ns/pid")
	pid := os.Getpid()
	self, _ := probe.StatOf(pid)
	return owner{string(bytes.TrimSpace(boot)), strings.Trim(pidns, "pid:[]"), pid, self.Start}
}

func parseOwner(label string) (owner, bool) {
	part := strings.Split(label, "/")
	if len(part) != 4 {
		return owner{}, false
	}
	pid, err := strconv.Atoi(part[2])
	return owner{part[0], part[1], pid, part[3]}, err == nil
}

// dead is true only when it is certain. A process in another PID namespace
// cannot be seen from here, so it counts as alive until the machine restarts.
func (o owner) dead() bool {
	self := thisProcess()
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
// somebody to refuse a signal: other users' processes are hidden by hidepid
// (proc(5)).
func (o owner) gone(start string, unread, signal error) bool {
	if unread == nil {
		return start != o.start
	}
	return errors.Is(signal, syscall.ESRCH)
}
