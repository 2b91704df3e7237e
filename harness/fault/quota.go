package fault

import (
	"context"
	"fmt"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Quota keeps the sandbox short of CPU, as a container's limit does: once the
// share is used up, all in it wait for the next tenth of a second.
//
// A hit is such a tenth of a second.
type Quota struct {
	// Share is of one CPU: 0.1 is a tenth.
	Share float64
}

// Name is the share.
func (q Quota) Name() string { return fmt.Sprintf("%.0f%% of a CPU", 100*q.Share) }

// Prepare asks for nothing: the sandbox is asked when there is one.
func (Quota) Prepare(*sandbox.Spec) error { return nil }

// Inject declines where no control group can be set.
func (q Quota) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	limiter, ok := sb.(sandbox.CPULimiter)
	if !ok {
		return nil, fmt.Errorf("%w: the CPU of this sandbox cannot be limited", ErrDeclined)
	}
	if err := limiter.LimitCPU(ctx, q.Share); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDeclined, err)
	}
	return throttling{limiter, sb}, nil
}

type throttling struct {
	limiter sandbox.CPULimiter
	sandbox sandbox.Sandbox
}

func (t throttling) Hits(ctx context.Context) (int64, string, error) {
	hits, err := t.limiter.Throttled()
	return hits, "", unlessOver(ctx, t.sandbox, err)
}

// Undo lifts the limit.
func (t throttling) Undo(ctx context.Context) error {
	return unlessOver(ctx, t.sandbox, t.limiter.FreeCPU(ctx))
}
