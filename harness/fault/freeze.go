package fault

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Freeze stops the whole sandbox again and again while a trial is under way, as
// `docker pause`, a checkpoint or a host that is out of memory does. Its clocks go
// on meanwhile, so a wait with a limit may be over before anybody could run.
//
// It is for one trial at a time. A hit is a trial in which all stood still before
// it was answered. To freeze by the clock alone would miss most trials on a busy
// machine, where it takes a second until all are seen to stand still.
type Freeze struct {
	// For is how long the sandbox is frozen. Every is how long it runs before, from
	// the trial's begin or the last thaw.
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
	armed := &armedFreeze{
		Freeze: f, freezer: freezer, ended: sb.Done(),
		trials: make(chan context.Context), over: make(chan struct{}),
	}
	ctx, armed.stop = context.WithCancel(context.WithoutCancel(ctx))
	go armed.run(ctx)
	return armed, nil
}

type armedFreeze struct {
	Freeze
	freezer  sandbox.Freezer
	ended    <-chan struct{}
	stop     context.CancelFunc
	trials   chan context.Context // each is done when its trial is answered
	answered context.CancelFunc   // of the last trial
	over     chan struct{}        // closed when it will not be frozen any more

	// stuck is why it was not thawed; written before over is closed.
	stuck error

	mu   sync.Mutex
	hits int64
	err  error
}

// Before returns when what is frozen of the last trial has been thawed.
func (a *armedFreeze) Before(ctx context.Context) {
	trial, answered := context.WithCancel(ctx)
	a.answered = answered
	select {
	case a.trials <- trial:
	case <-a.over:
	case <-ctx.Done():
	}
}

func (a *armedFreeze) After(string) { a.answered() }

func (a *armedFreeze) run(ctx context.Context) {
	defer close(a.over)
	for {
		select {
		case trial := <-a.trials:
			hit, err := a.during(ctx, trial)
			a.note(ctx, hit, err)
			if err != nil {
				return
			}
		case <-ctx.Done():
			return
		case <-a.ended:
			return
		}
	}
}

// during freezes until the trial is answered. It says whether it did in time.
func (a *armedFreeze) during(ctx, trial context.Context) (hit bool, err error) {
	trial, cancel := context.WithCancel(trial)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	for a.pause(trial, a.Every) {
		if err := a.freezer.Freeze(context.WithoutCancel(ctx)); err != nil {
			return hit, err
		}
		hit = hit || trial.Err() == nil
		a.pause(trial, a.For)
		if err := a.freezer.Thaw(context.WithoutCancel(ctx)); err != nil {
			a.stuck = err
			return hit, err
		}
	}
	return hit, nil
}

// note keeps an error, unless the target's end explains it.
func (a *armedFreeze) note(ctx context.Context, hit bool, err error) {
	if err != nil && over(context.WithoutCancel(ctx), a.ended) {
		err = nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if hit {
		a.hits++
	}
	a.err = err
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

// SoFar is what Hits would say now.
func (a *armedFreeze) SoFar(ctx context.Context) (int64, error) {
	hits, _, err := a.Hits(ctx)
	return hits, err
}

// Disarm returns when the sandbox runs again.
func (a *armedFreeze) Disarm(ctx context.Context) error {
	a.stop()
	select {
	case <-a.over:
		return a.stuck
	case <-ctx.Done():
		return fmt.Errorf("thaw the sandbox: its thaw expected before the end of the arm, no answer yet: %w", ctx.Err())
	}
}
