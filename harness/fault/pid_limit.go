package fault

import (
	"context"
	"errors"
	"fmt"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// PIDLimit makes forks fail: of every two bursts of requests the second meets
// a sandbox that has room for few more processes and threads. So the pressure
// comes and goes, and the first burst finds the target a chance to warm up.
//
// A command takes part by writing something. A hit is one that was asked for
// under the limit and wrote nothing.
type PIDLimit struct {
	// Spare is how many processes and threads there is room for: 1 or more.
	Spare int
	// Burst is how many requests are sent at once.
	Burst int
}

// Name has the room that is left.
func (l PIDLimit) Name() string {
	return fmt.Sprintf("room for %d processes in every second burst", l.Spare)
}

// Prepare asks for nothing: the sandbox is asked when there is one.
func (PIDLimit) Prepare(*sandbox.Spec) error { return nil }

// Inject declines where the sandbox has no limit to set.
func (l PIDLimit) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	limiter, ok := sb.(sandbox.PIDLimiter)
	if !ok {
		return nil, fmt.Errorf("%w: the processes of this sandbox cannot be limited", ErrDeclined)
	}
	if err := errors.Join(limiter.LimitPIDs(ctx, l.Spare), limiter.FreePIDs(ctx)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDeclined, err)
	}
	return &crowding{
		PIDLimit: l, limiter: limiter, sandbox: sb, bursts: inBursts{bursts: l.bursts()},
	}, nil
}

type crowding struct {
	PIDLimit
	limiter sandbox.PIDLimiter
	sandbox sandbox.Sandbox

	bursts inBursts

	count
}

// Under says whether a trial meets the limit.
func (l PIDLimit) Under(index int) bool { return l.bursts().meet(index) }

func (l PIDLimit) bursts() bursts { return bursts{seconds, l.Burst} }

// Before sets or lifts the limit for the first of a burst; the others wait.
func (c *crowding) Before(ctx context.Context) {
	c.bursts.Lock()
	defer c.bursts.Unlock()
	if _, changes := c.bursts.next(); !changes {
		return
	}
	set := c.limiter.FreePIDs
	if c.bursts.on {
		set = func(ctx context.Context) error { return c.limiter.LimitPIDs(ctx, c.Spare) }
	}
	c.fail(unlessOver(ctx, c.sandbox, set(ctx)))
}

// After is called before the next burst begins.
func (c *crowding) After(output string) {
	c.bursts.Lock()
	defer c.bursts.Unlock()
	if c.bursts.on && output == "" {
		c.hit()
	}
}

// Undo lifts the limit.
func (c *crowding) Undo(ctx context.Context) error {
	return unlessOver(ctx, c.sandbox, c.limiter.FreePIDs(ctx))
}
