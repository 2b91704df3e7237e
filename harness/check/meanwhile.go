package check

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// busyMeanwhile is the check that RestsMeanwhile makes.
const busyMeanwhile = "CPU time while commands run"

// meanwhileWindow is how long it is looked at, or longer on a busy machine, and meanwhileLooks
// how often at most.
const (
	meanwhileWindow = time.Second / 2
	meanwhileLooks  = 10
)

// RestsMeanwhile promises that there is half a second in which a command runs and the target
// uses hardly any CPU: commands only sleep. A start, an answer, or a program that is still being
// compiled takes some; who spins uses all that he gets, in each of them, and wants more. Of
// commands that are over sooner nothing is said.
func RestsMeanwhile(ctx context.Context, sb sandbox.Sandbox, _ time.Duration) (
	session.Look, error) {
	pid := sandbox.Daemon(sb)
	before, err := probe.Look(pid)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	seen := make(chan []resting, 1)
	go func() { seen <- windows(ctx, pid, before) }()
	return func(context.Context) ([]trial.Check, error) {
		stop()
		return meanwhile(<-seen), nil
	}, nil
}

func meanwhile(seen []resting) []trial.Check {
	if len(seen) == 0 {
		return nil
	}
	least := slices.MinFunc(seen, func(a, b resting) int { return cmp.Compare(a.used(), b.used()) })
	return []trial.Check{{
		Name: busyMeanwhile,
		Want: fmt.Sprintf("at most 1/%d of a CPU for %v", restShare, meanwhileWindow),
		Got:  fmt.Sprintf("in the quietest window of %d, %v", len(seen), least),
		OK:   slices.ContainsFunc(seen, quiet),
	}}
}

// quiet says whether the target has hardly used a CPU in a window, and would not have if it had
// got one.
func quiet(r resting) bool { return r.little(meanwhileWindow) && !r.wanting() }

// windows are those at whose beginning and end a command runs, until it is told to stop or the
// target has ended: its end is another's finding. A look that comes late has seen a longer
// time, in which a target that spins has used more.
func windows(ctx context.Context, pid int, before probe.Snapshot) (seen []resting) {
	next := time.NewTicker(meanwhileWindow / meanwhileLooks)
	defer next.Stop()
	first, err := cpuTimeOf(pid)
	now, ran, began := restingFrom(first, meanwhileWindow), false, time.Now()
	for err == nil {
		select {
		case <-next.C:
		case <-ctx.Done():
			return seen
		}
		var look cpuTime
		if look, err = cpuTimeOf(pid); err != nil {
			break
		}
		now.add(look, time.Since(began))
		if now.over < meanwhileWindow {
			continue
		}
		var all probe.Snapshot
		if all, err = probe.Look(pid); err != nil {
			break
		}
		runs := len(all.Since(before).Others()) > 0
		if ran && runs {
			seen = append(seen, now)
		}
		now, ran, began = restingFrom(look, meanwhileWindow), runs, time.Now()
	}
	return seen
}
