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

// BusyMeanwhile is the check that RestsMeanwhile makes.
const BusyMeanwhile = "CPU time while commands run"

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
	seen := make(chan []window, 1)
	go func() { seen <- windows(ctx, pid, before) }()
	return func(context.Context) ([]trial.Check, error) {
		stop()
		return meanwhile(<-seen), nil
	}, nil
}

// window is what a target did in such a time.
type window struct {
	used          time.Duration // of a CPU
	wanted, looks int           // looks at which it wanted one, as who gets little does
}

func (w window) quiet() bool {
	return restShare*w.used <= meanwhileWindow && 10*w.wanted < 9*w.looks
}

func meanwhile(seen []window) []trial.Check {
	if len(seen) == 0 {
		return nil
	}
	least := slices.MinFunc(seen, func(a, b window) int { return cmp.Compare(a.used, b.used) })
	return []trial.Check{{
		Name: BusyMeanwhile,
		Want: fmt.Sprintf("at most 1/%d of a CPU for %v", restShare, meanwhileWindow),
		Got: fmt.Sprintf("%v in the quietest of %d, in which it wanted to run at %d of %d looks",
			least.used, len(seen), least.wanted, least.looks),
		OK: slices.ContainsFunc(seen, window.quiet),
	}}
}

// windows are those at whose beginning and end a command runs, until it is told to stop or the
// target has ended: its end is another's finding. A look that comes late has seen a longer
// time, in which a target that spins has used more.
func windows(ctx context.Context, pid int, before probe.Snapshot) (seen []window) {
	next := time.NewTicker(meanwhileWindow / meanwhileLooks)
	defer next.Stop()
	last, ran, now, began := before.Target(), false, window{}, time.Now()
	for {
		select {
		case <-next.C:
		case <-ctx.Done():
			return seen
		}
		now.looks++
		if wants, _ := probe.Wants(pid); wants {
			now.wanted++
		}
		if time.Since(began) < meanwhileWindow {
			continue
		}
		all, err := probe.Look(pid)
		target := all.Target()
		if err != nil || target.PID == 0 {
			return seen
		}
		runs := len(all.Since(before).Others()) > 0
		if now.used = target.CPU - last.CPU; ran && runs {
			seen = append(seen, now)
		}
		last, ran, now, began = target, runs, window{}, time.Now()
	}
}
