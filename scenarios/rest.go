package scenarios

import (
	"context"
	"fmt"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// busy is the check that rests makes.
const busy = "CPU time at rest"

// atRest says how the look at a target that should rest is done: for a window in
// which nothing keeps it off the CPU, and within limit.
type atRest struct{ window, limit time.Duration }

// rests promises that the target uses hardly any CPU once all trials have
// ended.
func rests(_ context.Context, sb sandbox.Sandbox) (session.Look, error) {
	return func(ctx context.Context) ([]trial.Check, error) {
		return atRest{window: time.Second, limit: 10 * time.Second}.look(ctx, func() (cpuTime, error) {
			share, err := probe.ShareOf(sb.PID())
			if err != nil {
				return cpuTime{}, err
			}
			wants, err := probe.Wants(sb.PID())
			if err != nil {
				return cpuTime{}, err
			}
			p, err := probe.LookAt(sb.PID())
			return cpuTime{used: p.CPU, Share: share, wants: wants}, err
		})
	}, nil
}

// cpuTime is what a target has used so far, its ended threads included, what those
// that live have had, and whether one of them wants a CPU now.
type cpuTime struct {
	used time.Duration
	probe.Share
	wants bool
}

// look looks until it can tell. On a busy machine a target that spins uses no
// more than its share, which may be little: that it used little counts only for
// the time that it could have used, and one that wants a CPU at nearly every look
// until the limit does not rest, whatever it gets. It has to get some, again and
// again: a single turn that is long in coming is wanted at many looks too, and a
// sound target has been seen to wait 1.6 s for one.
func (a atRest) look(ctx context.Context, ask func() (cpuTime, error)) ([]trial.Check, error) {
	const share = 10 // one part of so many of a CPU is hardly any
	began := time.Now()
	before, err := ask()
	if err != nil {
		return nil, err
	}
	again := time.NewTicker(a.window / 10)
	defer again.Stop()
	last := before
	for looks, wanting, turns := 1, 0, 0; ; looks++ {
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		now, err := ask()
		if err != nil {
			return nil, err
		}
		if now.wants {
			wanting++
		}
		if now.Ran != last.Ran {
			turns++
		}
		last = now
		over, used, kept := time.Since(began), now.used-before.used, now.Kept-before.Kept
		free := over - kept
		eager := 10*wanting >= 9*looks
		check := trial.Check{
			Name: busy, Want: fmt.Sprintf("at most 1/%d of a CPU", share),
			Got: fmt.Sprintf("%v in %v", used, over.Round(time.Millisecond)), OK: share*used <= free && !eager,
		}
		switch {
		case over >= a.window && share*used > over, free >= a.window && check.OK:
			return []trial.Check{check}, nil
		case over >= a.limit && eager && 2*turns >= looks:
			check.Got += fmt.Sprintf(", and one wanted at %d of %d looks", wanting, looks)
			return []trial.Check{check}, nil
		case over >= a.limit:
			return nil, fmt.Errorf("%w: the target used %v of a CPU in %v, was kept off it for %v and wanted one at %d of %d looks, so it may rest or not",
				session.ErrUndecided, used, over.Round(time.Millisecond), kept.Round(time.Millisecond), wanting, looks)
		}
	}
}
