package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
)

// DrainLimit bounds the wait for the last output of a target that has ended.
const DrainLimit = 2 * time.Second

// ExitWords names the signal that a status above 128 stands for by the
// engine's convention.
func ExitWords(status int64) string {
	words := fmt.Sprintf("exit status %d", status)
	if status <= 128 || status > 128+64 {
		return words
	}
	return fmt.Sprintf("%s (as after signal %d, %v)", words, status-128, syscall.Signal(status-128))
}

// ShellStatus is an exit status as shells and engines give it: 128+n for death
// by signal n.
func ShellStatus(state *os.ProcessState) int {
	status := state.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

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
// Ctrl-C is removed all the same. A machine that has stood still for a minute gets its time
// for that, and one whose clock is no longer looked at some more.
func CleanupContext(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, release := context.WithTimeout(context.WithoutCancel(ctx), 4*CleanupLimit)
	ctx, cancel := await.Limit(ctx, CleanupLimit)
	return ctx, func() {
		cancel()
		release()
	}
}

// CloseContext is for Close: there may be many sandboxes, so its caller says how
// long they may take.
func CloseContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, limited := ctx.Deadline(); limited && ctx.Err() == nil {
		return context.WithCancel(ctx)
	}
	return CleanupContext(ctx)
}
