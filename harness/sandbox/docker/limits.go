package docker

import (
	"context"
	"fmt"
	"os"

	engine "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

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
	if _, err := c.engine.ContainerUpdate(ctx, c.id,
		client.ContainerUpdateOptions{Resources: &resources}); err != nil {
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

// LimitMemory is `docker update --memory`, without swap.
func (c *container) LimitMemory(ctx context.Context, spare int64) error {
	held, _, err := cgroup.Memory(c.pid)
	if err != nil {
		return fmt.Errorf("limit memory of %s: %w", c.name, err)
	}
	return c.setMemory(ctx, 2*held+spare)
}

// FreeMemory lifts it also when ctx is cancelled.
func (c *container) FreeMemory(ctx context.Context) error {
	ctx, cancel := sandbox.CleanupContext(ctx)
	defer cancel()
	const unlimited = 1 << 60 // engine 20.10 takes no -1 here
	return c.setMemory(ctx, unlimited)
}

func (c *container) setMemory(ctx context.Context, bytes int64) error {
	resources := engine.Resources{Memory: bytes, MemorySwap: bytes}
	if _, err := c.engine.ContainerUpdate(ctx, c.id,
		client.ContainerUpdateOptions{Resources: &resources}); err != nil {
		return fmt.Errorf("set memory limit of %s: %w", c.name, err)
	}
	return nil
}

// KilledForMemory knows no more once the target has ended: its number may be another's.
func (c *container) KilledForMemory() (int64, error) {
	_, kills, err := cgroup.Memory(c.pid)
	if err == nil && !c.pids.Has(c.pid) {
		err = os.ErrProcessDone
	}
	return kills, err
}

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
	_, err := c.engine.ContainerUpdate(ctx, c.id,
		client.ContainerUpdateOptions{Resources: &engine.Resources{PidsLimit: &most}})
	return err
}
