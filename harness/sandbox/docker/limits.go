package docker

import (
	"context"
	"fmt"
	"time"

	engine "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/sandbox/cgroup"
	"github.com/reapcheck/reapcheck/harness/sandbox/pidns"
)

// LimitCPU is `docker update --cpu-quota`.
func (c *container) LimitCPU(ctx context.Context, share float64) error {
	if _, err := cgroup.CPU(c.pid); err != nil {
		return fmt.Errorf("limit CPU of %s: %w", c.name, err)
	}
	return c.setQuota(ctx, cgroup.Quota(share))
}

func (c *container) FreeCPU(ctx context.Context) error {
	const unlimited = -1
	return c.setQuota(ctx, unlimited)
}

func (c *container) setQuota(ctx context.Context, quota int64) error {
	resources := engine.Resources{CPUPeriod: cgroup.Period, CPUQuota: quota}
	if _, err := c.engine.ContainerUpdate(ctx, c.id, client.ContainerUpdateOptions{Resources: &resources}); err != nil {
		return fmt.Errorf("set CPU quota of %s: %w", c.name, err)
	}
	return nil
}

func (c *container) Throttled() (int64, error) {
	group, err := cgroup.CPU(c.pid)
	if err != nil {
		return 0, fmt.Errorf("count Throttled periods of %s: %w", c.name, err)
	}
	return cgroup.Throttled(group)
}

// freezeLimit bounds the wait for the last process to stop, which takes as long
// as its system call does.
const freezeLimit = 5 * time.Second

// Freeze is `docker pause`, again and again: runc gives up with "unable to
// freeze" where processes are started faster than it freezes them (control
// groups v1). An engine whose answer came too late may have paused it all the
// same.
func (c *container) Freeze(ctx context.Context) error {
	err := c.pause(ctx)
	if err != nil {
		_ = c.Thaw(ctx) // which fails as a rule, since it is not paused
	}
	return err
}

func (c *container) pause(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, freezeLimit)
	defer cancel()
	err := await.Wait{
		For:   "a pause of the container",
		Every: 10 * time.Millisecond,
		Limit: freezeLimit,
		Over:  c.Done(),
	}.Until(ctx, func() (any, bool, error) {
		_, err := c.engine.ContainerPause(ctx, c.id, client.ContainerPauseOptions{})
		return err, err == nil, nil
	})
	if err != nil {
		return fmt.Errorf("freeze %s: %w", c.name, err)
	}
	return nil
}

// Thaw does so also when ctx is cancelled.
func (c *container) Thaw(ctx context.Context) error {
	ctx, cancel := sandbox.CleanupContext(ctx)
	defer cancel()
	if _, err := c.engine.ContainerUnpause(ctx, c.id, client.ContainerUnpauseOptions{}); err != nil {
		return fmt.Errorf("thaw %s: %w", c.name, err)
	}
	return nil
}

// SetNextPID needs a local engine and this process to be root; the container
// needs no privilege.
func (c *container) SetNextPID(_ context.Context, pid int) error {
	if c.pids == nil || !pidns.Privileged() {
		return fmt.Errorf("set next process ID of %s: it takes root, on the engine's machine", c.name)
	}
	return c.pids.SetNext("/proc", pid)
}

// LeavePIDs ends the shell that has chosen them.
func (c *container) LeavePIDs() { c.pids.Leave() }

// LimitPIDs sets the limit of the container's control group, as
// `docker run --pids-limit` does (cgroups(7), pids.max).
func (c *container) LimitPIDs(ctx context.Context, spare int) error {
	used, err := pidns.Tasks(c.pids, c.pid)
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
	ctx, cancel := sandbox.CleanupContext(ctx)
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
