// Package process runs shell commands for a daemon that may be PID 1, and
// tells how each of them ended.
//
// Executor is the front door. How an exit status is learned is a Strategy's
// business and nothing else is: the same Executor starts, reads, limits and
// kills for all of them. Registry is the strategy to copy; the others exist to
// be compared with it. The package knows nothing of HTTP.
package process

import (
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"syscall"
	"time"
)

// Strategy starts children and learns how they end.
type Strategy interface {
	// Start starts cmd. On error nothing is left behind.
	Start(cmd *exec.Cmd) (Child, error)
	// Counts says what the strategy has seen so far.
	Counts() Counts
	// Close reaps what has ended and stops reaping. Call it once, last.
	Close()
}

// Child is one start of one command. Its identity is the start: a child never
// answers for another that was given the same PID.
type Child interface {
	// PID is the child's process ID and that of its group. It may belong to
	// another process once Exited is closed.
	PID() int
	// Exited is closed when Status has its answer.
	Exited() <-chan struct{}
	// Status says how the child ended. Call it after Exited.
	// ErrStatusUnknown and ErrStatusLost mean that nobody can say.
	Status() (syscall.WaitStatus, error)
	// Signal sends sig to the child and its group, or returns os.ErrProcessDone if
	// the child is known to have been reaped.
	Signal(sig syscall.Signal) error
	// Pin keeps the child from being reaped, where the strategy can, until
	// release: what is sent to its group meanwhile finds the same group.
	Pin() (release func())
	// Forget says that the caller will not ask again. Call it exactly once,
	// also for a child that is still running.
	Forget()
}

// Counts is what a strategy has seen since it began.
type Counts struct {
	// ReapedManaged and ReapedUnmanaged count the reaper's children: those
	// known to be commands, and the others, orphans above all.
	ReapedManaged, ReapedUnmanaged int
	// EchildSeen counts waits that found no child, EchildRecovered those among
	// them whose status was found elsewhere in time.
	EchildSeen, EchildRecovered int
	// Registered is how many running children the strategy knows of, Cached
	// how many statuses it holds that nobody has asked for yet.
	Registered, Cached int
}

var (
	// ErrStatusUnknown means that the status went to another waiter of this
	// process and did not come back. Real daemons answer -1 here.
	ErrStatusUnknown = errors.New("exit status unknown: the child was reaped by another waiter")
	// ErrStatusLost means the same in a strategy that never guesses a number.
	ErrStatusLost = errors.New(
		"exit status lost: something else in this process waited for the child")
)

// DefaultEchildWait is how long Documented waits for a status after ECHILD.
const DefaultEchildWait = 200 * time.Millisecond

// StrategyNames lists what NewStrategy knows.
var StrategyNames = []string{"none", "reaper-only", "documented", "registry", "subscribed",
	"locked", "peeked", "kernel-held", "init-in-front"}

// NewStrategy starts the strategy of that name. Only Documented heeds
// echildWait; zero means that it looks once and does not wait.
func NewStrategy(name string, echildWait time.Duration, log *slog.Logger) (Strategy, error) {
	switch name {
	case "none":
		return &None{}, nil
	case "reaper-only":
		return NewReaperOnly(log), nil
	case "documented":
		return NewDocumented(echildWait, log), nil
	case "registry":
		return NewRegistry(log), nil
	case "subscribed":
		return NewSubscribed(log), nil
	case "locked":
		return NewLocked(log), nil
	case "peeked":
		return NewPeeked(log), nil
	case "kernel-held":
		return NewKernelHeld(log)
	case "init-in-front":
		return NewInitInFront(), nil
	}
	return nil, fmt.Errorf("find strategy %q: unknown, use one of %q", name, StrategyNames)
}

// ExitCode is the shell's word for a wait status: the code itself, or 128 and
// the signal's number. The core flag does not count.
func ExitCode(status syscall.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}
