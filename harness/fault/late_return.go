package fault

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault/late"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// LateReturn delays some returns of one system call in the target. A tracer attaches
// from outside, which slows the target down besides; commands are not traced.
type LateReturn struct {
	Call  late.Call
	Delay time.Duration
}

// The calls, as package late tells what each of them is delayed for.
const (
	Wait4 = late.Wait4
	Read  = late.Read
	Close = late.Close
)

// Name is the call and its delay.
func (l LateReturn) Name() string { return fmt.Sprintf("%s returns after %v", l.Call, l.Delay) }

// Prepare asks for nothing: whether a target can be traced is known when there is one.
func (LateReturn) Prepare(*sandbox.Spec) error { return nil }

// Inject attaches and returns when every thread of the target is traced.
func (l LateReturn) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	if sb.PID() == 0 {
		return nil, fmt.Errorf("%w: trace the target: its engine is on another machine",
			ErrDeclined)
	}
	tracer, err := late.Start(ctx, sandbox.Daemon(sb), l.Call, l.Delay)
	if errors.Is(err, late.ErrRefused) {
		return nil, fmt.Errorf("%w: %w", ErrDeclined, err)
	}
	if err != nil {
		return nil, err
	}
	return &lateReturning{LateReturn: l, tracer: tracer}, nil
}

// lateReturning is a tracer at work.
type lateReturning struct {
	LateReturn
	tracer *late.Tracer

	once sync.Once
	hits int64
	note string
}

// Hits ends the tracing.
func (l *lateReturning) Hits(ctx context.Context) (int64, string, error) {
	err := l.Undo(ctx)
	if l.Call == Read && l.hits == 0 && l.note == "" {
		err = fmt.Errorf(
			"%w: no command's start was told by a pipe, so none could be told late: "+
				"leave the scenario out", ErrDeclined)
	}
	return l.hits, l.note, err
}

// Undo ends the tracer and with it the delays.
func (l *lateReturning) Undo(ctx context.Context) error {
	l.once.Do(func() {
		hits, err := l.tracer.End(ctx)
		l.hits = hits
		if err != nil {
			l.note = err.Error()
		}
	})
	return nil
}
