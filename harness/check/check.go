// Package check makes promises about a sandbox: that what is counted in it comes back to
// what it was, never rises too high while commands run, or that the target rests.
//
// Settles, StaysBelow and Rests are the front door; each is a Watch of an arm.
package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Count is something in a sandbox that can be counted.
type Count struct {
	name string
	of   func(probe.Snapshot) int
	// who are those that are counted; nil where these are not processes.
	who func(probe.Snapshot) probe.Snapshot
	// some says that there is never none of it: none means that nothing was seen.
	some bool
}

// in counts in a snapshot.
func (c Count) in(s probe.Snapshot) (int, error) {
	n := c.of(s)
	if s.Target().Inner == 0 || c.some && n <= 0 {
		return n, fmt.Errorf("%w: the look at %s found nothing", session.ErrUndecided, c.name)
	}
	return n, nil
}

var (
	// Zombies are those of the whole sandbox.
	Zombies = counted("zombies", probe.Snapshot.Zombies)
	// Processes are all but the target, zombies included.
	Processes = counted("processes besides the target", probe.Snapshot.Others)
	// Files are the target's open ones.
	Files = Count{
		name: "the target's open files",
		of:   func(s probe.Snapshot) int { return s.Target().Files },
		some: true,
	}
	// Threads are the target's.
	Threads = Count{
		name: "the target's threads",
		of:   func(s probe.Snapshot) int { return s.Target().Threads },
		some: true,
	}
	// Memory is what the target holds in RAM, in bytes.
	Memory = Count{
		name: "the target's memory in bytes",
		of:   func(s probe.Snapshot) int { return s.Target().RSS },
		some: true,
	}
	// PeakMemory is the most that the target ever held.
	PeakMemory = Count{
		name: "the target's peak memory in bytes",
		of:   func(s probe.Snapshot) int { return s.Target().PeakRSS },
		some: true,
	}
)

// counted counts processes.
func counted(name string, who func(probe.Snapshot) probe.Snapshot) Count {
	return Count{name: name, who: who, of: func(s probe.Snapshot) int { return len(who(s)) }}
}

// TooMany is the symptom of a count that has not come down.
func TooMany(c Count) trial.Symptom { return trial.FailedCheck(c.name) }

// EverTooMany is the symptom of a count that was too high in between.
func EverTooMany(c Count) trial.Symptom { return trial.FailedCheck(c.highest()) }

// highest is what the check of a count's highest is called.
func (c Count) highest() string { return "highest of " + c.name }

// Bound is how high a count may be once all is over: most, or most above what it
// was before the first trial.
type Bound struct {
	Count
	most  int
	above bool
}

// ComesTo bounds each count by itself.
func ComesTo(most int, counts ...Count) []Bound { return boundsOf(Bound{most: most}, counts) }

// ComesBack bounds each count by what it was before the first trial.
func ComesBack(slack int, counts ...Count) []Bound {
	return boundsOf(Bound{most: slack, above: true}, counts)
}

func boundsOf(b Bound, counts []Count) []Bound {
	all := make([]Bound, len(counts))
	for i, c := range counts {
		b.Count = c
		all[i] = b
	}
	return all
}

// NobodyLeft bounds what the commands started. A target may have helpers of its
// own from the start.
var NobodyLeft = slices.Concat(ComesBack(0, Processes), ComesTo(0, Zombies))

// Settles promises that each count comes within its bound after the last trial.
func Settles(all ...[]Bound) session.Watch {
	return func(_ context.Context, sb sandbox.Sandbox, within time.Duration) (session.Look, error) {
		before, err := probe.Look(sandbox.Daemon(sb))
		bounds := slices.Concat(all...)
		for i, b := range bounds {
			if b.above {
				bounds[i].most += b.of(before)
			}
		}
		return settles(within, func() ([]trial.Check, bool, error) {
			return compare(sb, bounds, within)
		}), err
	}
}

// Only says whether all of these checks are of that count.
func Only(c Count) func([]trial.Check) bool {
	return func(checks []trial.Check) bool {
		return !slices.ContainsFunc(checks, func(one trial.Check) bool { return one.Name != c.name })
	}
}

// settles looks until the checks hold, or time is up.
func settles(within time.Duration,
	look func() (checks []trial.Check, settled bool, err error)) session.Look {
	settling := await.Wait{
		For: "a sandbox that has settled", Every: 10 * time.Millisecond, Limit: within,
		// A sandbox that is slow to settle is not hurried by being looked at.
		Slowest: within / 6,
	}
	return func(ctx context.Context) (checks []trial.Check, err error) {
		err = settling.Until(ctx, func() (seen any, settled bool, err error) {
			checks, settled, err = look()
			return checks, settled, err
		})
		if errors.Is(err, await.ErrLimit) {
			err = nil // the checks say it
		}
		return checks, err
	}
}

// compare looks once, and says whether every count is low enough.
func compare(sb sandbox.Sandbox, bounds []Bound, within time.Duration) ([]trial.Check,
	bool, error) {
	snapshot, err := probe.Look(sandbox.Daemon(sb))
	if err != nil {
		return nil, false, err
	}
	settled := true
	var checks []trial.Check
	for _, b := range bounds {
		n, err := b.in(snapshot)
		if err != nil {
			return nil, false, err
		}
		ok := n <= b.most
		settled = settled && ok
		checks = append(checks, trial.Check{
			Name: b.name, Want: fmt.Sprintf("at most %d within %s", b.most, printable.Duration(within)),
			Got: b.got(n, snapshot), OK: ok,
		})
	}
	return checks, settled, nil
}

// got is a count in words, with the names of those that are too many.
func (b Bound) got(n int, seen probe.Snapshot) string {
	if b.who == nil || n <= b.most {
		return strconv.Itoa(n)
	}
	const named = 5
	var names []string
	for _, p := range b.who(seen) {
		names = append(names, p.Name)
	}
	return fmt.Sprintf("%d: %s", n, printable.Some(named, names))
}

// All makes several promises.
func All(watches ...session.Watch) session.Watch {
	return func(ctx context.Context, sb sandbox.Sandbox,
		within time.Duration) (session.Look, error) {
		looks := make([]session.Look, len(watches))
		for i, w := range watches {
			var err error
			if looks[i], err = w(ctx, sb, within); err != nil {
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

// leastSamples is how often the target must have been looked at meanwhile. The
// shortest of these arms lasts for half a second.
const leastSamples = 5

// StaysBelow promises that a count never rises by more than slack while the
// trials run.
func StaysBelow(slack int, c Count) session.Watch {
	return func(ctx context.Context, sb sandbox.Sandbox, _ time.Duration) (session.Look, error) {
		return sampled(ctx, slack, c, func() (probe.Process, error) {
			return probe.LookAt(sandbox.Daemon(sb))
		})
	}
}

// sampled holds what look sees of the target against what it saw at first.
func sampled(ctx context.Context, slack int, c Count,
	look func() (probe.Process, error)) (session.Look, error) {
	before, err := look()
	if err != nil {
		return nil, err
	}
	most := c.of(probe.Snapshot{before}) + slack
	ctx, stop := context.WithCancel(ctx)
	seen := make(chan samples, 1)
	go func() { seen <- sample(ctx, c, look) }()
	return func(context.Context) ([]trial.Check, error) {
		stop()
		s := <-seen
		return []trial.Check{{
			Name: c.highest(), Want: fmt.Sprintf("at most %d", most), Got: strconv.Itoa(s.highest),
			OK: s.highest <= most,
		}}, s.enough(c)
	}, nil
}

// samples are what several looks at one count have seen.
type samples struct {
	number, highest int
	err             error // that ended them
}

// sample looks at the target again and again until ctx is done, or a look fails.
func sample(ctx context.Context, c Count, look func() (probe.Process, error)) (s samples) {
	again := time.NewTicker(sampleInterval)
	defer again.Stop()
	for {
		n := 0
		p, err := look()
		if err == nil {
			n, err = c.in(probe.Snapshot{p})
		}
		if err != nil {
			s.err = err
			return s
		}
		s.number++
		s.highest = max(s.highest, n)
		select {
		case <-again.C:
		case <-ctx.Done():
			return s
		}
	}
}

// enough says why the highest of these samples may not be the highest there was.
func (s samples) enough(c Count) error {
	if s.err == nil && s.number < leastSamples {
		return fmt.Errorf("%w: %d looks at %s, at least %d needed", session.ErrUndecided, s.number,
			c.name, leastSamples)
	}
	return s.err
}
