package bench

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Limit is how long a bench takes at the most, unless someone asks for more.
const Limit = 5 * time.Minute

const (
	// sleepWork is what one sleep costs in plain commands: to start it, to end it, and
	// to look at a daemon that has thousands of them.
	sleepWork = 3
	// comparedSleeps are enough to see what each costs: a thread, or none.
	comparedSleeps = 1000
	// fewCommands tell a leak of one in a thousand from none, almost surely; leastCommands
	// in six of seven looks.
	fewCommands   = 20_000
	leastCommands = 2000
	// leastLength still tells a ratio within 5 %.
	leastLength = 45 * time.Second
)

// Pace is how long a plain command takes, where as many are in flight as keep the machine busy.
type Pace struct {
	// Machine is the reference daemon's.
	Machine time.Duration
	// Candidate is that of someone's own daemon; zero where none is measured.
	Candidate time.Duration
}

func (p Pace) of(strategy string) time.Duration {
	if strategy == Candidate {
		return max(p.Machine, p.Candidate)
	}
	return p.Machine
}

// paceLength is how long the candidate is looked at for its pace.
const paceLength = 2 * time.Second

// Pace takes a few seconds where someone's own daemon is measured. A daemon that does not
// survive has no pace: what it dies of is for the bench to say.
func (b *Bench) Pace(ctx context.Context, machine time.Duration) (p Pace, err error) {
	p.Machine = machine
	if !b.foreign() {
		return p, nil
	}
	d, err := b.start(ctx, "bench-pace", b.Target, leakInFlight, sandbox.Front{})
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, d.stop(ctx)) }()
	racer := &daemonRacer{daemon: d, commands: load.Instant}
	t, err := racer.turn(ctx, leakInFlight, paceLength)
	if n := t.outcomes.Total(); err == nil && n > 0 {
		p.Candidate = t.took / time.Duration(n)
	}
	_, err = d.survive(ctx, err)
	return p, err
}

// Takes is about how long the bench takes at that pace.
func (s Scale) Takes(p Pace) time.Duration {
	var takes time.Duration
	if slices.Contains(s.Parts, Rates) {
		takes += s.Length
	}
	if slices.Contains(s.Parts, Arrivals) {
		steps := len(offeredShares)
		if len(s.Arrivals) > 0 {
			steps = len(s.Arrivals)
		}
		takes += time.Duration(steps*len(s.Strategies)) * s.eachArrival()
	}
	for _, strategy := range s.Strategies {
		commands := 0
		if slices.Contains(s.Parts, Sleeps) {
			for _, n := range s.Sleeps {
				commands += s.sleepsOf(strategy, n) * sleepWork
			}
		}
		if slices.Contains(s.Parts, Leaks) {
			commands += leakWarmUp + s.leakCommands(strategy, s.Commands)
		}
		takes += time.Duration(commands) * p.of(strategy)
	}
	return takes
}

// Fit makes the bench shorter until it keeps to Limit, the least telling part first. On
// a machine that is too slow even for the shortest one, that one is returned.
func (s Scale) Fit(p Pace) Scale {
	for _, shorten := range []func(*Scale) bool{fewerCommands, fewerSleeps, fewerCompared,
		shorterRates, fewestCommands} {
		for s.Takes(p) > Limit && shorten(&s) {
		}
	}
	return s
}

func fewerCommands(s *Scale) bool  { return s.halve(fewCommands) }
func fewestCommands(s *Scale) bool { return s.halve(leastCommands) }

// halve halves the commands, down to the least.
func (s *Scale) halve(least int) bool {
	if s.Commands <= least {
		return false
	}
	s.Commands = max(least, s.Commands/2)
	return true
}

// fewerSleeps keeps the largest number, about which something is required. Of someone's own
// daemon nothing is, and it may be slow: that is asked for the smallest.
func fewerSleeps(s *Scale) bool {
	last := len(s.Sleeps) - 1
	if last < 1 {
		return false
	}
	s.Sleeps = slices.Sorted(slices.Values(s.Sleeps))
	if s.foreign() {
		s.Sleeps = s.Sleeps[:last]
	} else {
		s.Sleeps = s.Sleeps[1:]
	}
	return true
}

// fewerCompared leaves it to the daemon of which something is required to have so many.
func fewerCompared(s *Scale) bool {
	if s.Compared > 0 {
		return false
	}
	s.Compared = comparedSleeps
	return true
}

func shorterRates(s *Scale) bool {
	if s.Length <= leastLength {
		return false
	}
	s.Length = max(leastLength, s.Length*3/4)
	return true
}
