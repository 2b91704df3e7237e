package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	engine "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/reapcheck/reapcheck/harness/probe"
)

var (
	_ CPULimiter = (*namespaced)(nil)
	_ CPULimiter = (*container)(nil)
)

// cpuPeriod is the kernel's default, and so the engine's, in microseconds.
const cpuPeriod = 100_000

func quotaOf(share float64) int64 { return int64(share * cpuPeriod) }

// LimitCPU is `docker update --cpu-quota`.
func (c *container) LimitCPU(ctx context.Context, share float64) error {
	if _, err := cpuGroup(c.pid); err != nil {
		return fmt.Errorf("limit CPU of %s: %w", c.name, err)
	}
	return c.setQuota(ctx, quotaOf(share))
}

func (c *container) FreeCPU(ctx context.Context) error {
	const unlimited = -1
	return c.setQuota(ctx, unlimited)
}

func (c *container) setQuota(ctx context.Context, quota int64) error {
	resources := engine.Resources{CPUPeriod: cpuPeriod, CPUQuota: quota}
	if _, err := c.engine.ContainerUpdate(ctx, c.id, client.ContainerUpdateOptions{Resources: &resources}); err != nil {
		return fmt.Errorf("set CPU quota of %s: %w", c.name, err)
	}
	return nil
}

func (c *container) Throttled() (int64, error) {
	group, err := cpuGroup(c.pid)
	if err != nil {
		return 0, fmt.Errorf("count throttled periods of %s: %w", c.name, err)
	}
	return throttled(group)
}

// LimitCPU moves the sandbox into a control group of its own, below this
// process's. As a rule only root may make one.
func (s *namespaced) LimitCPU(_ context.Context, share float64) error {
	if !s.pids.has(s.PID()) {
		return fmt.Errorf("limit CPU of %s: %w", s.name, os.ErrProcessDone)
	}
	if s.cpu == "" {
		own, err := cpuGroup(os.Getpid())
		if err != nil {
			return fmt.Errorf("limit CPU of %s: %w", s.name, err)
		}
		group := filepath.Join(own, groupName(thisProcess(), s.PID()))
		if err := os.Mkdir(group, 0o755); err != nil {
			return fmt.Errorf("limit CPU of %s: make control group: %w", s.name, err)
		}
		s.cpu = group
	}
	err := writeQuota(s.cpu, quotaOf(share))
	var all probe.Snapshot
	if err == nil {
		all, err = probe.Look(s.PID())
	}
	for _, p := range all {
		if err == nil && !p.Zombie() && s.pids.has(p.PID) {
			err = join(s.cpu, p.PID)
		}
	}
	if err != nil {
		return errors.Join(fmt.Errorf("limit CPU of %s: %w", s.name, err), s.leaveCPU())
	}
	return nil
}

// groupName has the owner in it, and no slash.
func groupName(o owner, pid int) string {
	return fmt.Sprintf("reapcheck-%d-%s", pid, strings.ReplaceAll(o.String(), "/", "_"))
}

func groupOwner(name string) (owner, bool) {
	part := strings.SplitN(name, "-", 3)
	if len(part) != 3 || part[0] != "reapcheck" {
		return owner{}, false
	}
	return parseOwner(strings.ReplaceAll(part[2], "_", "/"))
}

// sweepGroups removes what killed runs have left below this process's control
// group. Who was in them has been killed with the run.
func sweepGroups() (removed int, err error) {
	own, err := cpuGroup(os.Getpid())
	if err != nil {
		return 0, nil // there is none to be left
	}
	found, err := filepath.Glob(filepath.Join(own, "reapcheck-*"))
	for _, group := range found {
		if o, ok := groupOwner(filepath.Base(group)); !ok || !o.dead() {
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

func (s *namespaced) Throttled() (int64, error) { return throttled(s.cpu) }

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
	deadline := time.Now().Add(leaveLimit)
	for {
		members, _ := os.ReadFile(filepath.Join(group, "cgroup.procs"))
		for _, pid := range strings.Fields(string(members)) {
			number, _ := strconv.Atoi(pid)
			_ = join(filepath.Dir(group), number) // it may have ended
		}
		err := os.Remove(group)
		if err == nil || errors.Is(err, os.ErrNotExist) {
			s.cpu = ""
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("an empty control group expected within %v: %w", leaveLimit, err)
		}
		time.Sleep(time.Millisecond)
	}
}

func join(group string, pid int) error {
	return os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
}

// writeQuota knows both versions of control groups by their files.
func writeQuota(group string, quota int64) error {
	if _, err := os.Stat(filepath.Join(group, "cpu.cfs_quota_us")); err == nil {
		return os.WriteFile(filepath.Join(group, "cpu.cfs_quota_us"), []byte(strconv.FormatInt(quota, 10)), 0)
	}
	err := os.WriteFile(filepath.Join(group, "cpu.max"), fmt.Appendf(nil, "%d %d", quota, cpuPeriod), 0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		return fmt.Errorf("%w: the cpu controller is not delegated to this process's control group", err)
	}
	return err
}

// throttled reads nr_throttled, which both versions call so.
func throttled(group string) (int64, error) {
	text, err := os.ReadFile(filepath.Join(group, "cpu.stat"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if number, ok := strings.CutPrefix(line, "nr_throttled "); ok {
			return strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s/cpu.stat has no nr_throttled", group)
}

// cpuGroup is the folder of the control group that counts a process's CPU time
// (cgroups(7)).
func cpuGroup(pid int) (string, error) {
	if pid == 0 {
		return "", errors.New("its engine is on another machine")
	}
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return "", err
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(groups)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			continue
		}
		if root, ok := cpuMount(string(mounts), part[1]); ok {
			group := filepath.Join(root, part[2])
			_, err := os.Stat(filepath.Join(group, "cpu.stat"))
			return group, err
		}
	}
	return "", errors.New("no control group of this machine has a cpu controller")
}

// cpuMount is where a hierarchy is mounted that has the cpu controller: one
// whose controllers, as /proc/<pid>/cgroup lists them, say so, or the unified
// one, which lists none, if no other has it.
func cpuMount(mountinfo, controllers string) (root string, ok bool) {
	unified := controllers == ""
	if !unified && !contains(controllers, "cpu") {
		return "", false
	}
	for line := range strings.Lines(mountinfo) {
		before, after, _ := strings.Cut(line, " - ")
		place, kind := strings.Fields(before), strings.Fields(after)
		if len(place) < 5 || len(kind) < 3 {
			continue
		}
		if unified && kind[0] == "cgroup2" || !unified && kind[0] == "cgroup" && contains(kind[2], "cpu") {
			return place[4], true
		}
	}
	return "", false
}

func contains(list, word string) bool { return slices.Contains(strings.Split(list, ","), word) }
