package fault

import (
	"context"
	"errors"
	"fmt"
	"sync"

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

// Arm declines where the sandbox has no limit to set.
func (l PIDLimit) Arm(ctx context.Context, sb sandbox.Sandbox) (Armed, error) {
	limiter, ok := sb.(sandbox.PIDLimiter)
	if !ok {
		return nil, fmt.Errorf("%w: the processes of this sandbox cannot be limited", ErrDeclined)
	}
	if err := errors.Join(limiter.LimitPIDs(ctx, l.Spare), limiter.FreePIDs(ctx)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDeclined, err)
	}
	return &armedLimit{PIDLimit: l, limiter: limiter, ended: sb.Done()}, nil
}

type armedLimit struct {
	PIDLimit
	limiter sandbox.PIDLimiter
	ended   <-chan struct{}

	mu      sync.Mutex
	begun   int
	limited bool
	hits    int64
	err     error
}

// Under says whether a trial meets the limit.
func (l PIDLimit) Under(index int) bool { return index/l.Burst%2 == 1 }

// Before sets or lifts the limit for the first of a burst; the others wait.
func (a *armedLimit) Before(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	under := a.Under(a.begun)
	a.begun++
	if under == a.limited {
		return
	}
	a.limited = under
	set := a.limiter.FreePIDs
	if under {
		set = func(ctx context.Context) error { return a.limiter.LimitPIDs(ctx, a.Spare) }
	}
	if err := set(ctx); err != nil && !over(ctx, a.ended) {
		a.err = errors.Join(a.err, err)
	}
}

// After is called before the next burst begins.
func (a *armedLimit) After(output string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.limited && output == "" {
		a.hits++
	}
}

func (a *armedLimit) Hits(context.Context) (int64, string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return a.hits, a.err.Error(), nil
	}
	return a.hits, "", nil
}

// Disarm lifts the limit.
func (a *armedLimit) Disarm(ctx context.Context) error {
	if err := a.limiter.FreePIDs(ctx); err != nil && !over(ctx, a.ended) {
		return err
	}
	return nil
}
