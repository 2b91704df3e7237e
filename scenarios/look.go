package scenarios

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// watch is what an arm's Watch is.
type watch = func(context.Context, sandbox.Sandbox) (session.Look, error)

// settleLimit is how long a sandbox may take to come to rest after the last
// answer: far more than a reaper needs, far less than a person would wait.
const settleLimit = 3 * time.Second

// count is something in a sandbox that can be counted.
type count struct {
	name string
	of   func(probe.Snapshot) int
}

var (
	zombies   = count{"zombies", func(s probe.Snapshot) int { return len(s.Zombies()) }}
	processes = count{"processes besides the target", func(s probe.Snapshot) int { return len(s) - 1 }}
	files     = count{"the target's open files", func(s probe.Snapshot) int { return s.Target().Files }}
	threads   = count{"the target's threads", func(s probe.Snapshot) int { return s.Target().Threads }}
	memory    = count{"the target's memory in bytes", func(s probe.Snapshot) int { return s.Target().RSS }}
	// peakMemory is the most that the target ever held.
	peakMemory = count{"the target's peak memory in bytes", func(s probe.Snapshot) int { return s.Target().PeakRSS }}
)

// tooMany is the symptom of a count that has not come down.
func tooMany(c count) trial.Symptom { return trial.FailedCheck(c.name) }

// everTooMany is the symptom of a count that was too high in between.
func everTooMany(c count) trial.Symptom { return trial.FailedCheck(c.highest()) }

// highest is what the check of a count's highest is called.
func (c count) highest() string { return "highest of " + c.name }

// comesTo promises that each count is down to most within settleLimit after the
// last trial.
func comesTo(most int, counts ...count) watch {
	return func(_ context.Context, sb sandbox.Sandbox) (session.Look, error) {
		return settles(sb, counts, func(count) int { return most }), nil
	}
}

// comesBack promises that each count is, within settleLimit after the last
// trial, at most slack above what it was before the first.
func comesBack(slack int, counts ...count) watch {
	return func(_ context.Context, sb sandbox.Sandbox) (session.Look, error) {
		before, err := probe.Look(sb.PID())
		return settles(sb, counts, func(c count) int { return c.of(before) + slack }), err
	}
}

// settles looks until each count is at most what it may be, or time is up.
func settles(sb sandbox.Sandbox, counts []count, most func(count) int) session.Look {
	return func(ctx context.Context) ([]trial.Check, error) {
		ctx, cancel := context.WithTimeout(ctx, settleLimit)
		defer cancel()
		pause := 10 * time.Millisecond
		for {
			checks, settled, err := compare(sb, counts, most)
			if settled || err != nil {
				return checks, err
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return checks, nil
			}
			// A sandbox that is slow to settle is not hurried by being looked at.
			pause = min(2*pause, 200*time.Millisecond)
		}
	}
}

// compare looks once, and says whether every count is low enough.
func compare(sb sandbox.Sandbox, counts []count, most func(count) int) ([]trial.Check, bool, error) {
	snapshot, err := probe.Look(sb.PID())
	if err != nil {
		return nil, false, err
	}
	settled := true
	var checks []trial.Check
	for _, c := range counts {
		n := c.of(snapshot)
		ok := n <= most(c)
		settled = settled && ok
		checks = append(checks, trial.Check{
			Name: c.name, Want: fmt.Sprintf("at most %d within %v", most(c), settleLimit), Got: strconv.Itoa(n), OK: ok,
		})
	}
	return checks, settled, nil
}

// all makes several promises.
func all(watches ...watch) watch {
	return func(ctx context.Context, sb sandbox.Sandbox) (session.Look, error) {
		looks := make([]session.Look, len(watches))
		for i, w := range watches {
			var err error
			if looks[i], err = w(ctx, sb); err != nil {
				return nil, err
			}
		}
		return func(ctx context.Context) (checks []trial.Check, err error) {
			for _, look := range looks {
				some, lookErr := look(ctx)
				checks, err = append(checks, some...), errors.Join(err, lookErr)
			}
			return checks, err
		}, nil
	}
}

// sampleInterval is short against the time that the commands take which are
// looked at meanwhile.
const sampleInterval = 50 * time.Millisecond

// staysBelow promises that a count never rises by more than slack while the
// trials run.
func staysBelow(slack int, c count) watch {
	return func(ctx context.Context, sb sandbox.Sandbox) (session.Look, error) {
		before, err := probe.LookAt(sb.PID())
		if err != nil {
			return nil, err
		}
		most := c.of(probe.Snapshot{before}) + slack
		ctx, stop := context.WithCancel(ctx)
		peak := make(chan int, 1)
		go func() { peak <- highest(ctx, sb.PID(), c) }()
		return func(context.Context) ([]trial.Check, error) {
			stop()
			n := <-peak
			return []trial.Check{{Name: c.highest(), Want: fmt.Sprintf("at most %d", most), Got: strconv.Itoa(n), OK: n <= most}}, nil
		}, nil
	}
}

// highest looks at the target again and again until ctx is done or the target
// has gone.
func highest(ctx context.Context, pid int, c count) int {
	again := time.NewTicker(sampleInterval)
	defer again.Stop()
	top := 0
	for {
		p, err := probe.LookAt(pid)
		if err != nil {
			return top
		}
		top = max(top, c.of(probe.Snapshot{p}))
		select {
		case <-again.C:
		case <-ctx.Done():
			return top
		}
	}
}

// busy is the check that rests makes.
const busy = "CPU time in 1s"

// rests promises that the target uses hardly any CPU once all trials have
// ended.
func rests(_ context.Context, sb sandbox.Sandbox) (session.Look, error) {
	const window, most = time.Second, 100 * time.Millisecond
	return func(ctx context.Context) ([]trial.Check, error) {
		before, err := probe.LookAt(sb.PID())
		if err != nil {
			return nil, err
		}
		timer := time.NewTimer(window)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		after, err := probe.LookAt(sb.PID())
		used := after.CPU - before.CPU
		return []trial.Check{{
			Name: busy, Want: fmt.Sprintf("at most %v", most), Got: used.String(), OK: used <= most,
		}}, err
	}, nil
}
