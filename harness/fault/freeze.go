package fault

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Freeze stops the whole sandbox again and again, as `docker pause`, a
// checkpoint or a host that is out of memory does. Its clocks go on meanwhile,
// so a wait with a limit may be over before anybody could run.
//
// A hit is a time when all stood still and went on again.
type Freeze struct {
	// For is how long the sandbox is frozen, and Every how long it runs between.
	For, Every time.Duration
}

// Name has both times.
func (f Freeze) Name() string { return fmt.Sprintf("frozen for %v after every %v", f.For, f.Every) }

// Prepare asks for nothing: the sandbox is asked when there is one.
func (Freeze) Prepare(*sandbox.Spec) error { return nil }

// Arm declines where the sandbox cannot be frozen.
func (f Freeze) Arm(ctx context.Context, sb sandbox.Sandbox) (Armed, error) {
	freezer, ok := sb.(sandbox.Freezer)
	if !ok {
		return nil, fmt.Errorf("%w: this sandbox cannot be frozen", ErrDeclined)
	}
	armed := &armedFreeze{Freeze: f, freezer: freezer, ended: sb.Done(), over: make(chan struct{})}
	ctx, armed.stop = context.WithCancel(context.WithoutCancel(ctx))
	go armed.run(ctx)
	return armed, nil
}

type armedFreeze struct {
	Freeze
	freezer sandbox.Freezer
	ended   <-chan struct{}
	stop    context.CancelFunc
	over    chan struct{} // closed when it will not be frozen any more

	mu   sync.Mutex
	hits int64
	err  error
}

func (a *armedFreeze) run(ctx context.Context) {
	defer close(a.over)
	for a.pause(ctx, a.Every) {
		err := a.once(ctx)
		a.mu.Lock()
		if err == nil {
			a.hits++
		} else if !over(context.WithoutCancel(ctx), a.ended) {
			a.err = err
		}
		a.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// once never leaves the sandbox frozen if it can help it.
func (a *armedFreeze) once(ctx context.Context) error {
	whole := context.WithoutCancel(ctx)
	if err := a.freezer.Freeze(whole); err != nil {
		return err
	}
	a.pause(ctx, a.For)
	return a.freezer.Thaw(whole)
}

// pause says whether it was not cut short.
func (a *armedFreeze) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-a.ended:
	}
	return false
}

// Hits voids the count where freezing has failed.
func (a *armedFreeze) Hits(context.Context) (int64, string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return a.hits, a.err.Error(), nil
	}
	return a.hits, "", nil
}

// Disarm returns when the sandbox runs again.
func (a *armedFreeze) Disarm(ctx context.Context) error {
	a.stop()
	select {
	case <-a.over:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("thaw the sandbox: its thaw expected before the end of the arm, no answer yet: %w", ctx.Err())
	}
}
