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
	// lasting says that what the target starts before a command's own outlives it.
	lasting bool

	count
}

// maxOffset bounds what is taken for helpers of the target: any more is noise.
const maxOffset = 4

// Before waits until the number is free and sets it.
func (r *reusing) Before(ctx context.Context) {
	r.awaitFree(ctx, r.wanted, freeLimit)
	for i := 1; i <= r.offset && !r.lasting; i++ {
		r.lasting = !r.awaitFree(ctx, r.wanted-i, helperLimit)
	}
	next := numberBefore(procOf(r.sandbox), r.wanted, r.offset)
	r.fail(unlessOver(ctx, r.sandbox, r.setter.SetNextPID(ctx, next)))
}

// procOf is the sandbox's own /proc.
func procOf(sb sandbox.Sandbox) string { return fmt.Sprintf("/proc/%d/root/proc", sb.PID()) }

// numberBefore is the number to begin with for one to be reached after offset others, which
// take free ones alone: a daemon with a thread for each connection has one below it in use.
func numberBefore(proc string, wanted, offset int) int {
	for ; offset > 0 && wanted > 2; wanted-- {
		if _, err := os.Stat(fmt.Sprintf("%s/%d", proc, wanted-1)); err != nil {
			offset--
		}
	}
	return wanted
}

// freeLimit is how long the last owner may take to be reaped. One that is not
// costs a hit and nothing else.
const freeLimit = 500 * time.Millisecond

// helperLimit is how long a thread may take to end that served the last client alone.
const helperLimit = 100 * time.Millisecond

// awaitFree looks into the sandbox's own /proc, which has threads too, and says whether the
// number is free in time.
func (r *reusing) awaitFree(ctx context.Context, number int, limit time.Duration) bool {
	path := fmt.Sprintf("%s/%d", procOf(r.sandbox), number)
	return await.Wait{
		For:   "the end of a process",
		Every: time.Millisecond,
		Limit: limit,
	}.Until(ctx, func() (any, bool, error) {
		_, err := os.Stat(path)
		return path, err != nil, nil
	}) == nil
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
