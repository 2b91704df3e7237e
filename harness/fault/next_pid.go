package fault

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// NextPID gives each command a process ID that was someone else's a moment
// ago, which a busy sandbox brings about once in as many starts as it has
// numbers (proc(5), pid_max).
//
// A command takes part by the last two words that it writes: its own PID, and
// the one that the next command is to get. A hit is a command that got what one
// before it has named: the very first number was no one's. The number is set when
// no one has it any more; one request at a time, or it reaches another command.
type NextPID struct{}

// Name says what happens.
func (NextPID) Name() string { return "next PID is a used one" }

// Prepare asks for nothing: the sandbox is asked when there is one.
func (NextPID) Prepare(*sandbox.Spec) error { return nil }

// firstPID is where the first command goes: beyond what the target's own
// threads and helpers have taken.
const firstPID = 1000

// Inject declines where the sandbox does not let a PID be chosen.
func (NextPID) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	setter, ok := sb.(sandbox.PIDSetter)
	if !ok {
		return nil, fmt.Errorf("%w: this sandbox does not let process IDs be chosen", ErrDeclined)
	}
	if err := setter.SetNextPID(ctx, firstPID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDeclined, err)
	}
	return &reusing{setter: setter, sandbox: sb, wanted: firstPID}, nil
}

type reusing struct {
	setter  sandbox.PIDSetter
	sandbox sandbox.Sandbox

	wanted int
	named  bool // wanted by a command, which knows whose it was
	// offset is how many processes the target starts before a command's own,
	// as the last command showed it.
	offset int

	count
}

// maxOffset bounds what is taken for helpers of the target: any more is noise.
const maxOffset = 4

// Before waits until the number is free and sets it.
func (r *reusing) Before(ctx context.Context) {
	r.awaitFree(ctx)
	if err := r.setter.SetNextPID(ctx, r.wanted-r.offset); err != nil &&
		!over(ctx, r.sandbox.Done()) {
		r.fail(err)
	}
}

// freeLimit is how long the last owner may take to be reaped. One that is not
// costs a hit and nothing else.
const freeLimit = 500 * time.Millisecond

// awaitFree looks into the sandbox's own /proc, which has threads too.
func (r *reusing) awaitFree(ctx context.Context) {
	path := fmt.Sprintf("/proc/%d/root/proc/%d", r.sandbox.PID(), r.wanted)
	_ = await.Wait{
		For:   "the end of a process",
		Every: time.Millisecond,
		Limit: freeLimit,
	}.Until(ctx, func() (any, bool, error) {
		_, err := os.Stat(path)
		return path, err != nil, nil
	})
}

// After reads what the command wrote. One that wrote nothing was not started:
// the same number is tried again, as a failed start may have had it.
func (r *reusing) After(output string) {
	words := strings.Fields(output)
	if len(words) < 2 {
		return
	}
	own, errOwn := strconv.Atoi(words[len(words)-2])
	next, errNext := strconv.Atoi(words[len(words)-1])
	if errOwn != nil || errNext != nil {
		return
	}
	if own == r.wanted && r.named {
		r.hit()
	}
	if offset := r.offset + own - r.wanted; offset >= 0 && offset <= maxOffset {
		r.offset = offset
	}
	r.wanted, r.named = next, true
}

// SoFar is what Hits would say now.
func (r *reusing) SoFar(context.Context) (int64, error) { return r.hits, nil }

// Undo has nothing to undo: the number was for one start.
func (r *reusing) Undo(context.Context) error {
	r.setter.LeavePIDs()
	return nil
}
