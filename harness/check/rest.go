package check

import (
	"context"
	"fmt"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Busy is the check that rests makes.
const Busy = "CPU time at rest"

// atRest says how the look at a target that should rest is done: for a window in
// which nothing keeps it off the CPU, and within limit.
type atRest struct{ window, limit time.Duration }

// Rests promises that the target uses hardly any CPU once all trials have
// ended.
func Rests(_ context.Context, sb sandbox.Sandbox, within time.Duration) (session.Look, error) {
	return func(ctx context.Context) ([]trial.Check, error) {
		rest := atRest{window: time.Second, limit: 3 * max(within, leastPatience)}
		return rest.look(ctx, func() (cpuTime, error) { return cpuTimeOf(sandbox.Daemon(sb)) })
	}, nil
}

func cpuTimeOf(pid int) (cpuTime, error) {
	share, err := probe.ShareOf(pid)
	if err != nil {
		return cpuTime{}, err
	}
	wants, err := probe.Wants(pid)
	if err != nil {
		return cpuTime{}, err
	}
	p, err := probe.LookAt(pid)
	return cpuTime{used: p.CPU, Share: share, wants: wants}, err
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
// until the limit does not rest, whatever it gets. Nor does one that takes what it gets.
func (a atRest) look(ctx context.Context, ask func() (cpuTime, error)) ([]trial.Check, error) {
	began := time.Now()
	first, err := ask()
	if err != nil {
		return nil, err
	}
	again := time.NewTicker(a.window / 10)
	defer again.Stop()
	seen := restingFrom(first, a.window)
	for {
		select {
		case <-again.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		now, err := ask()
		if err != nil {
			return nil, err
		}
		seen.add(now, time.Since(began))
		switch {
		case !seen.little(max(seen.over, a.window)): // whatever it does until then
			return seen.check(false), nil
		case seen.free >= a.window && seen.little(seen.free) && !seen.wanting():
			return seen.check(true), nil
		case seen.over < a.limit:
		case seen.running() && (seen.wanting() || seen.taking(a.window)):
			return seen.check(false), nil
		default:
			return nil, fmt.Errorf("%w: the target used %v, so it may rest or not",
				session.ErrUndecided, seen)
		}
	}
}

// resting is what the looks at a target have shown so far.
type resting struct {
	first, last  cpuTime
	over         time.Duration // from the first look to the last
	looks        int           // after the first one
	wanted, runs int           // looks at which it wanted a CPU, and before which it had had one
	// free is the time in which nothing kept the target off a CPU, as far as can be
	// known, and most is how much of it a look can tell.
	free, most time.Duration
}

// restingFrom begins with a look; many more are to come in each window.
func restingFrom(first cpuTime, window time.Duration) resting {
	return resting{first: first, last: first, most: window / 5}
}

// add takes in a look. A wait for a CPU is in Kept when it is over, so the time before
// a look at which the target waits for one was not free. Nor does a look tell of a
// second in which no one looked: a machine may stand still for as long, and a polling
// target with it.
func (r *resting) add(now cpuTime, over time.Duration) {
	r.looks++
	if now.wants {
		r.wanted++
	} else {
		r.free += min(r.most, max(0, over-r.over-(now.Kept-r.last.Kept)))
	}
	if now.Ran != r.last.Ran {
		r.runs++
	}
	r.last, r.over = now, over
}

func (r resting) used() time.Duration { return r.last.used - r.first.used }

// restShare is one part of so many of a CPU, which is hardly any.
const restShare = 10

// little says whether the target has used hardly any CPU, in so much time.
func (r resting) little(of time.Duration) bool { return restShare*r.used() <= of }

// wanting says whether the target wanted a CPU at nearly every look.
func (r resting) wanting() bool { return 10*r.wanted >= 9*r.looks }

// taking says whether the target took all that it could get, which was more than a little of a
// window, and wanted more at most looks.
func (r resting) taking(window time.Duration) bool {
	return 4*r.wanted >= 3*r.looks && !r.little(window) && !r.little(r.used()+r.free)
}

// running says whether the target got a CPU again and again. A single turn that is
// long in coming is wanted at many looks too: a sound target has been seen to wait
// 1.6 s for one.
func (r resting) running() bool { return 2*r.runs >= r.looks }

func (r resting) check(ok bool) []trial.Check {
	return []trial.Check{{Name: Busy, Want: fmt.Sprintf("at most 1/%d of a CPU", restShare),
		Got: r.String(), OK: ok}}
}

// String is what was seen, as a check shows it.
func (r resting) String() string {
	return fmt.Sprintf(
		"%v in %v: it was free to run for %v, and wanted to run at %d of %d looks",
		r.used(), r.over.Round(time.Millisecond), r.free.Round(time.Millisecond), r.wanted, r.looks)
}
