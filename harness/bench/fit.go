package bench

import (
	"slices"
	"time"
)

// Limit is how long a bench takes at the most, unless someone asks for more.
const Limit = 5 * time.Minute

const (
	// sleepWork is what one sleep costs in plain commands: to start it, to end it, and
	// to look at a daemon that has thousands of them.
	sleepWork = 3
	// comparedSleeps are enough to see what each costs: a thread, or none.
	comparedSleeps = 1000
	// leastCommands and leastLength still tell a leak, and a ratio within 5 %, from none.
	leastCommands = 20_000
	leastLength   = 45 * time.Second
)

// Takes is about how long the bench takes where a plain command takes so long.
func (s Scale) Takes(command time.Duration) time.Duration {
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
	if slices.Contains(s.Parts, Sleeps) {
		for _, n := range s.Sleeps {
			for _, strategy := range s.Strategies {
				takes += time.Duration(s.sleepsOf(strategy, n)*sleepWork) * command
			}
		}
	}
	if slices.Contains(s.Parts, Leaks) {
		for _, strategy := range s.Strategies {
			takes += time.Duration(leakWarmUp+s.leakCommands(strategy)) * command
		}
	}
	return takes
}

// Fit makes the bench shorter until it keeps to Limit, the least telling part first. On
// a machine that is too slow even for the shortest one, that one is returned.
func (s Scale) Fit(command time.Duration) Scale {
	for _, shorten := range []func(*Scale) bool{fewerCommands, fewerSleeps, fewerCompared,
		shorterRates} {
		for s.Takes(command) > Limit && shorten(&s) {
		}
	}
	return s
}

func fewerCommands(s *Scale) bool {
	if s.Commands <= leastCommands {
		return false
	}
	s.Commands = max(leastCommands, s.Commands/2)
	return true
}

// fewerSleeps keeps the largest number, about which something is required.
func fewerSleeps(s *Scale) bool {
	if len(s.Sleeps) < 2 {
		return false
	}
	s.Sleeps = slices.Sorted(slices.Values(s.Sleeps))[1:]
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
