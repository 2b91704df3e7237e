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
)

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
const leaveLimit = 5 * time.Second

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
