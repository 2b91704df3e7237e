package namespace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/owner"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox/cgroup"
	"github.com/reapcheck/reapcheck/harness/sandbox/pidns"
)

// SetNextPID writes to the sandbox's own /proc: this machine's may be read-only.
func (s *namespaced) SetNextPID(_ context.Context, pid int) error {
	return s.pids.SetNext(s.proc(), pid)
}

// LeavePIDs ends the shell that has chosen them.
func (s *namespaced) LeavePIDs() { s.pids.Leave() }

func (s *namespaced) proc() string { return fmt.Sprintf("/proc/%d/root/proc", s.PID()) }

func (s *namespaced) setPIDMax(limit int) error {
	return s.pids.Write(s.proc()+"/sys/kernel/pid_max", strconv.Itoa(limit))
}

// LimitPIDs lowers the highest process ID. It needs no control group, which
// only root may make.
func (s *namespaced) LimitPIDs(ctx context.Context, spare int) error {
	if kernel := probe.Kernel(); !hasPIDMaxPerNamespace(kernel) {
		return fmt.Errorf(
			"limit processes: %s has one pid_max for the whole machine, which is left alone; "+
				"Linux 6.14 is needed", kernel)
	}
	// From 301 on the next number is never one below 300 (kernel/pid.c,
	// RESERVED_PIDS), so the numbers there are out of the question.
	err := s.SetNextPID(ctx, reservedPIDs+1)
	var used map[int]bool
	if err == nil {
		used, err = pidns.Tasks(s.pids, s.PID())
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
	if !s.pids.Entered() {
		return nil
	}
	defer s.pids.Leave()
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

// hasPIDMaxPerNamespace reads Kernel's text.
func hasPIDMaxPerNamespace(kernel string) bool {
	var major, minor int
	_, err := fmt.Sscanf(kernel, "Linux %d.%d", &major, &minor)
	return err == nil && (major > 6 || major == 6 && minor >= 14)
}

// LimitCPU moves the sandbox into a control group of its own, below this
// process's. As a rule only root may make one.
func (s *namespaced) LimitCPU(_ context.Context, share float64) error {
	if !s.pids.Has(s.PID()) {
		return fmt.Errorf("limit CPU of %s: %w", s.name, os.ErrProcessDone)
	}
	if s.cpu == "" {
		own, err := cgroup.CPU(os.Getpid())
		if err != nil {
			return fmt.Errorf("limit CPU of %s: %w", s.name, err)
		}
		group := filepath.Join(own, groupName(owner.This(), s.PID()))
		if err := os.Mkdir(group, 0o755); err != nil {
			return fmt.Errorf("limit CPU of %s: make control group: %w", s.name, err)
		}
		s.cpu = group
	}
	err := cgroup.SetQuota(s.cpu, cgroup.Quota(share))
	var all probe.Snapshot
	if err == nil {
		all, err = probe.Look(s.PID())
	}
	for _, p := range all {
		if err == nil && !p.Zombie() && s.pids.Has(p.PID) {
			err = cgroup.Join(s.cpu, p.PID)
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("limit CPU of %s: %w", s.name, err), s.leaveCPU())
	}
	return nil
}

// groupName has the owner in it, and no slash.
func groupName(o owner.Process, pid int) string {
	return fmt.Sprintf("reapcheck-%d-%s", pid, strings.ReplaceAll(o.String(), "/", "_"))
}

func groupOwner(name string) (owner.Process, bool) {
	part := strings.SplitN(name, "-", 3)
	if len(part) != 3 || part[0] != "reapcheck" {
		return owner.Process{}, false
	}
	return owner.Parse(strings.ReplaceAll(part[2], "_", "/"))
}

// SweepGroups removes what killed runs have left below this process's control
// group. Who was in them has been killed with the run.
func SweepGroups() (removed int, err error) {
	own, err := cgroup.CPU(os.Getpid())
	if err != nil {
		return 0, nil // there is none to be left
	}
	found, err := filepath.Glob(filepath.Join(own, "reapcheck-*"))
	for _, group := range found {
		if o, ok := groupOwner(filepath.Base(group)); !ok || !o.Dead() {
			continue
		}
		if errRemove := os.Remove(group); errRemove != nil {
			err = errors.Join(err, fmt.Errorf("remove control group of a dead run: %w", errRemove))
			continue
		}
		removed++
	}
	return removed, err
}

func (s *namespaced) Throttled() (int64, error) { return cgroup.Throttled(s.cpu) }

func (s *namespaced) FreeCPU(context.Context) error {
	if s.cpu == "" {
		return nil
	}
	if err := s.leaveCPU(); err != nil {
		return fmt.Errorf("lift CPU limit of %s: %w", s.name, err)
	}
	return nil
}

// leaveLimit bounds the wait for the last process to be out of the group.
const leaveLimit = await.Broken

// leaveCPU moves all back to where they came from and removes the group, again
// and again while new ones are started in it.
func (s *namespaced) leaveCPU() error {
	group := s.cpu
	err := await.Wait{
		For:   "an empty control group",
		Every: time.Millisecond,
		Limit: leaveLimit,
	}.Until(context.Background(), func() (any, bool, error) {
		members, _ := os.ReadFile(filepath.Join(group, "cgroup.procs"))
		for _, pid := range strings.Fields(string(members)) {
			number, _ := strconv.Atoi(pid)
			_ = cgroup.Join(filepath.Dir(group), number) // it may have ended
		}
		err := os.Remove(group)
		return err, err == nil || errors.Is(err, os.ErrNotExist), nil
	})
	if err == nil {
		s.cpu = ""
	}
	return err
}
