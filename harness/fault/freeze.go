package fault

import (
	"context"
	"fmt"
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

// Inject declines where the sandbox cannot be frozen.
func (f Freeze) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	freezer, ok := sb.(sandbox.Freezer)
	if !ok {
		return nil, fmt.Errorf("%w: this sandbox cannot be frozen", ErrDeclined)
	}
	injected := &freezing{
		Freeze: f, freezer: freezer, sandbox: sb,
		trials: make(chan context.Context), over: make(chan struct{}),
	}
	ctx, injected.stop = context.WithCancel(context.WithoutCancel(ctx))
	go injected.run(ctx)
	return injected, nil
}

type freezing struct {
	Freeze
	freezer  sandbox.Freezer
	sandbox  sandbox.Sandbox
	stop     context.CancelFunc
	trials   chan context.Context // each is done when its trial is answered
	answered context.CancelFunc   // of the last trial
	over     chan struct{}        // closed when it will not be frozen any more

	// stuck is why it was not thawed; written before over is closed.
	stuck error

	count
}

// Before returns when what is frozen of the last trial has been thawed.
func (f *freezing) Before(ctx context.Context) {
	trial, answered := context.WithCancel(ctx)
	f.answered = answered
	select {
	case f.trials <- trial:
	case <-f.over:
	case <-ctx.Done():
	}
}

func (f *freezing) After(string) { f.answered() }

func (f *freezing) run(ctx context.Context) {
	defer close(f.over)
	for {
		select {
		case trial := <-f.trials:
			hit, err := f.during(ctx, trial)
			f.note(ctx, hit, err)
			if err != nil {
				return
			}
		case <-ctx.Done():
			return
		case <-f.sandbox.Done():
			return
		}
	}
}

// during freezes until the trial is answered. It says whether it did in time.
func (f *freezing) during(ctx, trial context.Context) (hit bool, err error) {
	trial, cancel := context.WithCancel(trial)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	for f.pause(trial, f.Every) {
		if err := f.freezer.Freeze(context.WithoutCancel(ctx)); err != nil {
			return hit, err
		}
		hit = hit || trial.Err() == nil
		f.pause(trial, f.For)
		if err := f.freezer.Thaw(context.WithoutCancel(ctx)); err != nil {
			f.stuck = err
			return hit, err
		}
	}
	return hit, nil
}

// note keeps an error, unless the target's end explains it.
func (f *freezing) note(ctx context.Context, hit bool, err error) {
	if hit {
		f.hit()
	}
	f.fail(unlessOver(context.WithoutCancel(ctx), f.sandbox, err))
}

// pause says whether it was not cut short.
func (f *freezing) pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-f.sandbox.Done():
	}
	return false
}

// SoFar is what Hits would say now.
func (f *freezing) SoFar(ctx context.Context) (int64, error) {
	hits, _, err := f.Hits(ctx)
	return hits, err
}

// Undo returns when the sandbox runs again.
func (f *freezing) Undo(ctx context.Context) error {
	f.stop()
	select {
	case <-f.over:
		return f.stuck
	case <-ctx.Done():
		return fmt.Errorf(
			"thaw the sandbox: its thaw expected before the end of the arm, no answer yet: %w",
			ctx.Err())
	}
}
