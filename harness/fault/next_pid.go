package fault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// NextPID gives each command a process ID that was somebody else's a moment
// ago, which a busy sandbox brings about once in as many starts as it has
// numbers (proc(5), pid_max).
//
// A command takes part by the last two words that it writes: its own PID, and
// the one that the next command is to get. A hit is a command that got what one
// before it has named: the very first number was nobody's. The number is set when
// nobody has it any more; one request at a time, or it reaches another command.
type NextPID struct{}

// Name says what happens.
func (NextPID) Name() string { return "next PID is a used one" }

// Prepare asks for nothing: the sandbox is asked when there is one.
func (NextPID) Prepare(*sandbox.Spec) error { return nil }

// firstPID is where the first command goes: beyond what the target's own
// threads and helpers have taken.
const firstPID = 1000

// Arm declines where the sandbox does not let a PID be chosen.
func (NextPID) Arm(ctx context.Context, sb sandbox.Sandbox) (Armed, error) {
	setter, ok := sb.(sandbox.PIDSetter)
	if !ok {
		return nil, fmt.Errorf("%w: this sandbox does not let process IDs be chosen", ErrDeclined)
	}
	if err := setter.SetNextPID(ctx, firstPID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDeclined, err)
	}
	return &armedPID{setter: setter, sandbox: sb, wanted: firstPID}, nil
}

type armedPID struct {
	setter  sandbox.PIDSetter
	sandbox sandbox.Sandbox

	wanted int
	named  bool // wanted by a command, which knows whose it was
	// offset is how many processes the target starts before a command's own,
	// as the last command showed it.
	offset int
	hits   int64
	err    error
}

// maxOffset bounds what is taken for helpers of the target: any more is noise.
const maxOffset = 4

// Before waits until the number is free and sets it.
func (a *armedPID) Before(ctx context.Context) {
	a.awaitFree(ctx)
	if err := a.setter.SetNextPID(ctx, a.wanted-a.offset); err != nil && !over(ctx, a.sandbox.Done()) {
		a.err = errors.Join(a.err, err)
	}
}

// freeLimit is how long the last owner may take to be reaped. One that is not
// costs a hit and nothing else.
const freeLimit = 500 * time.Millisecond

// awaitFree looks into the sandbox's own /proc, which has threads too.
func (a *armedPID) awaitFree(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, freeLimit)
	defer cancel()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	path := fmt.Sprintf("/proc/%d/root/proc/%d", a.sandbox.PID(), a.wanted)
	for {
		if _, err := os.Stat(path); err != nil {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}

// After reads what the command wrote. One that wrote nothing was not started:
// the same number is tried again, as a failed start may have had it.
func (a *armedPID) After(output string) {
	words := strings.Fields(output)
	if len(words) < 2 {
		return
	}
	own, errOwn := strconv.Atoi(words[len(words)-2])
	next, errNext := strconv.Atoi(words[len(words)-1])
	if errOwn != nil || errNext != nil {
		return
	}
	if own == a.wanted && a.named {
		a.hits++
	}
	if offset := a.offset + own - a.wanted; offset >= 0 && offset <= maxOffset {
		a.offset = offset
	}
	a.wanted, a.named = next, true
}

func (a *armedPID) Hits(context.Context) (int64, string, error) {
	if a.err != nil {
		return a.hits, a.err.Error(), nil
	}
	return a.hits, "", nil
}

// SoFar is what Hits would say now.
func (a *armedPID) SoFar(context.Context) (int64, error) { return a.hits, nil }

// Disarm has nothing to undo: the number was for one start.
func (a *armedPID) Disarm(context.Context) error {
	a.setter.LeavePIDs()
	return nil
}
