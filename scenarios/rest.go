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
			kept, err := probe.Kept(sb.PID())
			if err != nil {
				return cpuTime{}, err
			}
			wants, err := probe.Wants(sb.PID())
			if err != nil {
				return cpuTime{}, err
			}
			p, err := probe.LookAt(sb.PID())
			return cpuTime{used: p.CPU, kept: kept, wants: wants}, err
		})
	}, nil
}

// cpuTime is what a target has used so far, how long it was kept off the CPU, and
// whether it wants one now.
type cpuTime struct {
	used, kept time.Duration
	wants      bool
}

// look looks until it can tell. On a busy machine a target that spins uses no
// more than its share, which may be little: that it used little counts only for
// the time that it could have used, and one that wants a CPU at nearly every look
// does not rest, whatever it gets.
func (a atRest) look(ctx context.Context, ask func() (cpuTime, error)) ([]trial.Check, error) {
	const share = 10 // one part of so many of a CPU is hardly any
	began := time.Now()
	before, err := ask()
	if err != nil {
		return nil, err
	}
	again := time.NewTicker(a.window / 10)
	defer again.Stop()
	for looks, wanting := 1, 0; ; looks++ {
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		now, err := ask()
		if err != nil {
			return nil, err
		}
		over, used, kept := time.Since(began), now.used-before.used, now.kept-before.kept
		free := over - kept
		check := trial.Check{
			Name: busy, Want: fmt.Sprintf("at most 1/%d of a CPU", share),
			Got: fmt.Sprintf("%v in %v", used, over.Round(time.Millisecond)), OK: share*used <= free,
		}
		if now.wants {
			wanting++
		}
		eager := 10*wanting >= 9*looks
		if eager {
			check.OK, check.Got = false, fmt.Sprintf("%s, and one wanted at %d of %d looks", check.Got, wanting, looks)
		}
		switch {
		case over >= a.window && (share*used > over || eager && looks >= 10), free >= a.window && check.OK:
			return []trial.Check{check}, nil
		case over >= a.limit:
			return nil, fmt.Errorf("%w: the target used %v of a CPU in %v and was kept off it for %v, so it may rest or not",
				session.ErrUndecided, used, over.Round(time.Millisecond), kept.Round(time.Millisecond))
		}
	}
}
