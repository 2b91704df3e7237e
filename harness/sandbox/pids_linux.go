package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	engine "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

var (
	_ PIDSetter  = (*namespaced)(nil)
	_ PIDLimiter = (*namespaced)(nil)
	_ PIDSetter  = (*container)(nil)
	_ PIDLimiter = (*container)(nil)
)

// SetNextPID writes to the sandbox's own /proc: this machine's may be read-only.
func (s *namespaced) SetNextPID(_ context.Context, pid int) error {
	return s.pids.setNext(s.proc(), pid)
}

// LeavePIDs ends the shell that has chosen them.
func (s *namespaced) LeavePIDs() { s.pids.leave() }

func (s *namespaced) proc() string { return fmt.Sprintf("/proc/%d/root/proc", s.PID()) }

func (s *namespaced) setPIDMax(limit int) error {
	return s.pids.write(s.proc()+"/sys/kernel/pid_max", strconv.Itoa(limit))
}

// LimitPIDs lowers the highest process ID. It needs no control group, which
// only root may make.
func (s *namespaced) LimitPIDs(ctx context.Context, spare int) error {
	if kernel := Kernel(); !hasPIDMaxPerNamespace(kernel) {
		return fmt.Errorf("limit processes: %s has one pid_max for the whole machine, which is left alone; Linux 6.14 is needed", kernel)
	}
	// From 301 on the next number is never one below 300 (kernel/pid.c,
	// RESERVED_PIDS), so the numbers there are out of the question.
	err := s.SetNextPID(ctx, reservedPIDs+1)
	var used map[int]bool
	if err == nil {
		used, err = tasks(s.pids, s.PID())
	}
	if err == nil {
		err = s.setPIDMax(pidMaxFor(used, spare))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("limit processes of %s: %w", s.name, err), s.FreePIDs(ctx))
	}
	return nil
}

// reservedPIDs is where numbers begin again once they have come to pid_max.
const reservedPIDs = 300

// pidMaxFor is the pid_max below which just spare numbers are free.
func pidMaxFor(used map[int]bool, spare int) int {
	limit := reservedPIDs
	for ; spare > 0; limit++ {
		if !used[limit] {
			spare--
		}
	}
	return limit
}

// FreePIDs goes back to what the machine has, and leaves. The shell is there
// since the limit was set: under it no process could be added that lifts it.
func (s *namespaced) FreePIDs(context.Context) error {
	if !s.pids.entered() {
		return nil
	}
	defer s.pids.leave()
	machine, err := machinePIDMax()
	if err == nil {
		err = s.setPIDMax(machine)
	}
	if err != nil {
		return fmt.Errorf("lift limit of processes of %s: %w", s.name, err)
	}
	return nil
}

func machinePIDMax() (int, error) {
	text, err := os.ReadFile("/proc/sys/kernel/pid_max")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// tasks are the numbers that the processes and threads of a target's sandbox
// have there.
func tasks(namespace *pidNamespace, target int) (map[int]bool, error) {
	found, err := filepath.Glob(fmt.Sprintf("/proc/%d/root/proc/[0-9]*/task/[0-9]*", target))
	if err == nil && (len(found) == 0 || !namespace.has(target)) {
		err = fmt.Errorf("process %d has ended, or its /proc cannot be read", target)
	}
	used := make(map[int]bool, len(found))
	for _, path := range found {
		id, _ := strconv.Atoi(filepath.Base(path))
		used[id] = true
	}
	return used, err
}

// SetNextPID needs a local engine and this process to be root; the container
// needs no privilege.
func (c *container) SetNextPID(_ context.Context, pid int) error {
	if c.pids == nil || !mayMakeNamespaces() {
		return fmt.Errorf("set next process ID of %s: it takes root, on the engine's machine", c.name)
	}
	return c.pids.setNext("/proc", pid)
}

// LeavePIDs ends the shell that has chosen them.
func (c *container) LeavePIDs() { c.pids.leave() }

// setNext names the PID before, as the kernel wants it (proc(5), ns_last_pid).
func (n *pidNamespace) setNext(proc string, pid int) error {
	if err := n.write(proc+"/sys/kernel/ns_last_pid", strconv.Itoa(pid-1)); err != nil {
		return fmt.Errorf("set next process ID to %d: %w", pid, err)
	}
	return nil
}

// LimitPIDs sets the limit of the container's control group, as
// `docker run --pids-limit` does (cgroups(7), pids.max).
func (c *container) LimitPIDs(ctx context.Context, spare int) error {
	used, err := tasks(c.pids, c.pid)
	if err == nil {
		err = c.setPIDsLimit(ctx, len(used)+spare)
	}
	if err != nil {
		_ = c.FreePIDs(ctx) // the engine may have set it, and answered too late
		return fmt.Errorf("limit processes of %s: %w", c.name, err)
	}
	return nil
}

// FreePIDs lifts it also when ctx is cancelled.
func (c *container) FreePIDs(ctx context.Context) error {
	ctx, cancel := cleanupContext(ctx)
	defer cancel()
	const unlimited = -1
	if err := c.setPIDsLimit(ctx, unlimited); err != nil {
		return fmt.Errorf("lift limit of processes of %s: %w", c.name, err)
	}
	return nil
}

func (c *container) setPIDsLimit(ctx context.Context, limit int) error {
	most := int64(limit)
	_, err := c.engine.ContainerUpdate(ctx, c.id, client.ContainerUpdateOptions{Resources: &engine.Resources{PidsLimit: &most}})
	return err
}
