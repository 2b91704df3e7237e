package fault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Heirs gives every second command the process ID of the one before it, which has
// ended and is not answered yet: something that it has left behind holds its
// output. So a target has both in its books under one number.
//
// Trials come in pairs that are in flight together, an elder and its heir. The elder
// leaves a process whose command line ends in the word ElderMark and its own PID; the
// last word that the heir writes is its PID. A hit is a process that was given an
// elder's number at once.
type Heirs struct{}

// ElderMark begins a word that tells of an elder's PID.
const ElderMark = "reapcheck-elder-"

// Name says what happens.
func (Heirs) Name() string { return "next PID is an unanswered one" }

// Prepare asks for nothing: the sandbox is asked when there is one.
func (Heirs) Prepare(*sandbox.Spec) error { return nil }

// Arm declines where the sandbox does not let a PID be chosen.
func (Heirs) Arm(ctx context.Context, sb sandbox.Sandbox) (Armed, error) {
	setter, ok := sb.(sandbox.PIDSetter)
	if !ok || sb.PID() == 0 {
		return nil, fmt.Errorf("%w: this sandbox does not let process IDs be chosen", ErrDeclined)
	}
	if err := setter.SetNextPID(ctx, firstPID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDeclined, err)
	}
	return &armedHeirs{setter: setter, sandbox: sb}, nil
}

type armedHeirs struct {
	setter  sandbox.PIDSetter
	sandbox sandbox.Sandbox

	looking sync.WaitGroup

	mu     sync.Mutex
	elder  int // the last one whose number was given on
	offset int // processes that the target starts before a command's own
	hits   int64
	err    error
}

// elderLimit is how long an elder may take to end and be reaped. One that takes
// longer costs a hit and nothing else.
const elderLimit = 2 * time.Second

// Before has an heir wait for its elder's end.
func (a *armedHeirs) Before(ctx context.Context) {
	if trialOf(ctx)%2 == 0 {
		return
	}
	number := a.awaitElder(ctx)
	if number == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.elder = number
	a.looking.Go(func() { a.awaitHeir(ctx, number) })
	if err := a.setter.SetNextPID(ctx, number-a.offset); err != nil && !over(ctx, a.sandbox.Done()) {
		a.err = errors.Join(a.err, err)
	}
}

// awaitElder returns the number of an elder that has been reaped, 0 if none comes.
func (a *armedHeirs) awaitElder(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, elderLimit)
	defer cancel()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	for {
		if number := a.reapedElder(); number != 0 {
			return number
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return 0
		}
	}
}

// reapedElder looks into the sandbox's own /proc.
func (a *armedHeirs) reapedElder() int {
	proc := fmt.Sprintf("/proc/%d/root/proc", a.sandbox.PID())
	lines, _ := filepath.Glob(proc + "/[0-9]*/cmdline")
	for _, path := range lines {
		raw, _ := os.ReadFile(path)
		words := bytes.Split(bytes.TrimRight(raw, "\x00"), []byte{0})
		mark, found := strings.CutPrefix(string(words[len(words)-1]), ElderMark)
		number, err := strconv.Atoi(mark)
		if !found || err != nil || number == a.last() {
			continue
		}
		if _, err := os.Stat(fmt.Sprintf("%s/%d", proc, number)); errors.Is(err, os.ErrNotExist) {
			return number
		}
	}
	return 0
}

// awaitHeir counts a process of that number. A thread of the target's may have taken
// it instead.
func (a *armedHeirs) awaitHeir(ctx context.Context, number int) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), elderLimit)
	defer cancel()
	again := time.NewTicker(2 * time.Millisecond)
	defer again.Stop()
	path := fmt.Sprintf("/proc/%d/root/proc/%d/status", a.sandbox.PID(), number)
	for {
		if status, err := os.ReadFile(path); err == nil {
			if bytes.Contains(status, fmt.Appendf(nil, "\nTgid:\t%d\n", number)) {
				a.mu.Lock()
				defer a.mu.Unlock()
				a.hits++
			}
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}

func (a *armedHeirs) last() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.elder
}

// After reads what an heir wrote; an elder writes one word.
func (a *armedHeirs) After(output string) {
	words := strings.Fields(output)
	if len(words) != 2 {
		return
	}
	own, err := strconv.Atoi(words[1])
	if err != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if offset := a.offset + own - a.elder; offset >= 0 && offset <= maxOffset {
		a.offset = offset
	}
}

func (a *armedHeirs) Hits(context.Context) (int64, string, error) {
	a.looking.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return a.hits, a.err.Error(), nil
	}
	return a.hits, "", nil
}

// Disarm has nothing to undo: the number was for one start.
func (a *armedHeirs) Disarm(context.Context) error {
	a.setter.LeavePIDs()
	return nil
}
