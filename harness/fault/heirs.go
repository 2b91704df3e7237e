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

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Heirs gives every second command the process ID of the one before it, which has
// ended and is not answered yet: something that it has left behind holds its
// output. So a target has both in its books under one number, or under numbers that it may take
// for one.
//
// Trials come in pairs that are in flight together, an elder and its heir. The elder
// leaves a process that has its PID in the variable ElderVariable, and that starts no
// other; the last word that the heir writes is its PID. A hit is a process that was
// given an elder's number at once.
type Heirs struct {
	// Within is how long an elder may take to end and be reaped. One that takes longer
	// costs a hit and nothing else.
	Within time.Duration
	// Apart is how far above an elder's number its heir's is, by pairs in turn, while the elder
	// still runs: what is kept under a part of a number meets another owner there. Each is
	// halved until the sandbox has such a number. With none it is the elder's own number.
	Apart []int
}

// ElderVariable tells of an elder's PID.
const ElderVariable = "REAPCHECK_ELDER"

// Name says what happens.
func (h Heirs) Name() string {
	if len(h.Apart) > 0 {
		return "one far above a running command's as next PID"
	}
	return "an unanswered command's as next PID"
}

// Prepare asks for nothing: the sandbox is asked when there is one.
func (Heirs) Prepare(*sandbox.Spec) error { return nil }

// Inject declines where the sandbox does not let a PID be chosen.
func (h Heirs) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	setter, ok := sb.(sandbox.PIDSetter)
	if !ok || sb.PID() == 0 {
		return nil, fmt.Errorf("%w: this sandbox does not let process IDs be chosen", ErrDeclined)
	}
	if err := setter.SetNextPID(ctx, firstPID); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDeclined, err)
	}
	return &inheriting{Heirs: h, setter: setter, sandbox: sb}, nil
}

type inheriting struct {
	Heirs
	setter  sandbox.PIDSetter
	sandbox sandbox.Sandbox

	looking sync.WaitGroup

	numbers sync.Mutex // guards what follows
	elder   elder      // the last one that has an heir
	number  int        // the heir's
	taken   bool       // a thread of the target's has that number instead of an heir
	offset  int        // processes that the target starts before a command's own
	again   int        // the offset at which a thread took the number the last time

	count
}

// Before has an heir wait for its elder's end.
func (h *inheriting) Before(ctx context.Context) {
	if trialOf(ctx)%2 == 0 {
		return
	}
	found := h.awaitElder(ctx)
	if found.number == 0 {
		return
	}
	h.numbers.Lock()
	defer h.numbers.Unlock()
	h.elder, h.taken = found, false
	number, err := h.choose(ctx, found.number)
	h.number = number
	h.looking.Go(func() { h.awaitHeir(ctx, number) })
	h.fail(unlessOver(ctx, h.sandbox, err))
}

// leastApart is what is not worth halving: so far apart are two commands of a busy second.
const leastApart = 256

// choose has the elder's number, or one above it, be the heir's. The kernel refuses what is above
// pid_max (proc_sys_kernel(5)), which each PID namespace has its own of since Linux 6.14.
func (h *inheriting) choose(ctx context.Context, elder int) (number int, err error) {
	apart := 0
	if len(h.Apart) > 0 {
		apart = h.Apart[trialOf(ctx)/2%len(h.Apart)]
	}
	for {
		next := numberBefore(procOf(h.sandbox), elder+apart, h.offset)
		err := h.setter.SetNextPID(ctx, next)
		if err == nil || apart < leastApart {
			return elder + apart, err
		}
		apart /= 2
	}
}

// awaitElder returns an elder; its number is 0 if none comes.
func (h *inheriting) awaitElder(ctx context.Context) (found elder) {
	_ = h.wait("an elder").Until(ctx, func() (any, bool, error) {
		found = h.nextElder()
		return found.number, found.number != 0, nil
	})
	return found
}

// wait is for what may not come, which costs a hit and nothing else.
func (h *inheriting) wait(what string) await.Wait {
	return await.Wait{For: what, Every: 2 * time.Millisecond, Limit: h.Within}
}

// elder is a command that has an heir: its number, and a process that it has started, by its folder
// in /proc.
type elder struct {
	number int
	holder string
}

// nextElder looks into the sandbox's own /proc. A number is free once no process, group
// or session has it (alloc_pid in the kernel): what an elder leaves behind begins in
// the elder's group.
func (h *inheriting) nextElder() elder {
	proc := procOf(h.sandbox)
	paths, _ := filepath.Glob(proc + "/[0-9]*/environ")
	for _, path := range paths {
		found := elder{number: elderIn(path), holder: filepath.Dir(path)}
		if found.number == 0 || found == h.last() {
			continue
		}
		if len(h.Apart) > 0 { // it need not be free
			return found
		}
		stat, err := probe.ReadStat(filepath.Join(found.holder, "stat"))
		if err != nil || stat.Group == found.number {
			continue
		}
		_, err = os.Stat(fmt.Sprintf("%s/%d", proc, found.number))
		if errors.Is(err, os.ErrNotExist) {
			return found
		}
	}
	return elder{}
}

// elderIn is the number in a process's environment, 0 where there is none.
func elderIn(environ string) int {
	raw, _ := os.ReadFile(environ)
	for variable := range bytes.SplitSeq(raw, []byte{0}) {
		if text, found := strings.CutPrefix(string(variable), ElderVariable+"="); found {
			number, _ := strconv.Atoi(text)
			return number
		}
	}
	return 0
}

// awaitHeir counts a process of that number. A thread of the target's may have taken it
// instead. Once that is chance; twice it is a target with a thread for each connection.
func (h *inheriting) awaitHeir(ctx context.Context, number int) {
	path := fmt.Sprintf("%s/%d/status", procOf(h.sandbox), number)
	var status []byte
	err := h.wait("an heir").Until(context.WithoutCancel(ctx), func() (any, bool, error) {
		raw, err := os.ReadFile(path)
		status = raw
		return err, err == nil, nil
	})
	switch {
	case err != nil:
	case bytes.Contains(status, fmt.Appendf(nil, "\nTgid:\t%d\n", number)):
		h.hit()
	default:
		h.take(number)
	}
}

func (h *inheriting) take(number int) {
	h.numbers.Lock()
	defer h.numbers.Unlock()
	h.taken = h.taken || number == h.number
}

func (h *inheriting) last() elder {
	h.numbers.Lock()
	defer h.numbers.Unlock()
	return h.elder
}

// After reads what an heir wrote; an elder writes one word.
func (h *inheriting) After(output string) {
	words := strings.Fields(output)
	if len(words) != 2 {
		return
	}
	own, err := strconv.Atoi(words[1])
	if err != nil {
		return
	}
	h.numbers.Lock()
	defer h.numbers.Unlock()
	offset := h.offset + own - h.number
	if h.taken && offset != h.again { // by chance, as far as one time tells
		h.again = offset
		return
	}
	if offset >= 0 && offset <= maxOffset {
		h.offset = offset
	}
}

// Hits waits for those who look out for heirs.
func (h *inheriting) Hits(ctx context.Context) (int64, string, error) {
	h.looking.Wait()
	return h.count.Hits(ctx)
}

// SoFar is what Hits would say now.
func (h *inheriting) SoFar(ctx context.Context) (int64, error) {
	h.looking.Wait()
	return h.count.SoFar(ctx)
}

// Undo has nothing to undo: the number was for one start.
func (h *inheriting) Undo(context.Context) error {
	h.setter.LeavePIDs()
	return nil
}

type trialKey struct{}

// OfTrial is the context of PerTrial.Before, which tells a fault which trial is to
// begin: those that are in flight together begin in any order.
func OfTrial(ctx context.Context, index int) context.Context {
	return context.WithValue(ctx, trialKey{}, index)
}

// trialOf is the trial that a context is of.
func trialOf(ctx context.Context) int {
	index, _ := ctx.Value(trialKey{}).(int)
	return index
}
