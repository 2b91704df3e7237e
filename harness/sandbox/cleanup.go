package sandbox

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Interrupts are the signals after which a command cleans up. A terminal that is
// closed is one, unless nohup(1) has the run outlive it.
func Interrupts() []os.Signal {
	all := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// CleanupLimit bounds a removal. An idle engine removes a container in 0.2 s.
const CleanupLimit = 30 * time.Second

// CleanupContext lives on when ctx is cancelled: what must be removed after
// Ctrl-C is removed all the same.
func CleanupContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), CleanupLimit)
}

// CloseContext is for Close: there may be many sandboxes, so its caller says how
// long they may take.
func CloseContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, limited := ctx.Deadline(); limited && ctx.Err() == nil {
		return context.WithCancel(ctx)
	}
	return CleanupContext(ctx)
}
