package fault

import (
	"context"
	"fmt"
	"sync"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// MemoryLimit lets the sandbox run out of memory: whoever then has the most is killed by the
// kernel (cgroups(7), memory).
//
// A hit is a process that was killed so.
type MemoryLimit struct {
	// Spare is how many bytes there are beside as much again as the sandbox holds.
	Spare int64
}

// Name has no number: what there is depends on what the target holds.
func (MemoryLimit) Name() string { return "a limit of memory" }

// Prepare asks for nothing: the sandbox is asked when there is one.
func (MemoryLimit) Prepare(*sandbox.Spec) error { return nil }

// Inject declines where no control group can be set.
func (l MemoryLimit) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	limiter, ok := sb.(sandbox.MemoryLimiter)
	if !ok {
		return nil, fmt.Errorf("%w: the memory of this sandbox cannot be limited", ErrDeclined)
	}
	before, err := limiter.KilledForMemory()
	if err == nil {
		err = limiter.LimitMemory(ctx, l.Spare)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDeclined, err)
	}
	return &starved{limiter: limiter, sandbox: sb, before: before}, nil
}

type starved struct {
	limiter sandbox.MemoryLimiter
	sandbox sandbox.Sandbox
	before  int64

	mu   sync.Mutex
	last int64 // hits at the last look: who counts them goes with the target
}

// Before lets the trial begin.
func (*starved) Before(context.Context) {}

// After looks, since the target may be the next one to be killed.
func (s *starved) After(string) { _, _ = s.look() }

func (s *starved) look() (hits int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, err := s.limiter.KilledForMemory()
	s.last = max(s.last, now-s.before) // one that has died is in no group
	return s.last, err
}

func (s *starved) Hits(ctx context.Context) (int64, string, error) {
	hits, err := s.look()
	return hits, "", unlessOver(ctx, s.sandbox, err)
}

// Undo lifts the limit.
func (s *starved) Undo(ctx context.Context) error {
	return unlessOver(ctx, s.sandbox, s.limiter.FreeMemory(ctx))
}
