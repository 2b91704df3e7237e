package session

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// armWork is what an arm costs beside its trials and the start of its sandbox, in plain
// commands: its looks and checks, and what they wait for.
const armWork = 60

// Estimate is how long the experiments take at this session's pace: what keeps the
// CPUs busy comes one after the other, and what only waits does so beside it.
func (s *Session) Estimate(all []Experiment) time.Duration {
	var work float64 // in plain commands
	starts, shared := 0, map[string]bool{}
	waits := map[bool]time.Duration{} // of all experiments of a lane
	var longest time.Duration
	for _, e := range all {
		work += e.work()
		for _, a := range e.Arms {
			if a.shares() {
				shared[fmt.Sprint(a.Role, a.Build, a.Strategy, a.Env, a.Fault != nil)] = true
			} else {
				starts++
			}
		}
		wait := e.waits(s.Pace.Lag)
		longest = max(longest, wait)
		waits[e.Busy] += wait
	}
	busy := time.Duration(work * float64(s.Pace.command()))
	// Of each kind that is shared two are in use at a time, as has been seen.
	atOnce := time.Duration(s.Runtime.Traits().StartsAtOnce)
	starting := time.Duration(starts+2*len(shared)) * s.Pace.Start / atOnce
	return max(busy+starting, longest, waits[true]/time.Duration(s.atOnce(busyLane)),
		waits[false]/time.Duration(s.atOnce(patientLane)))
}

// work is what the experiment costs in plain commands.
func (e Experiment) work() (sum float64) {
	for _, a := range e.Arms {
		sum += armWork + float64(a.expected())*cmp.Or(a.Work, 1)
	}
	return sum
}

// longestFirst keeps a run from ending with one experiment alone, which waits or works
// while the CPUs have nothing else to do.
func (s *Session) longestFirst(all []Experiment) {
	alone := func(e Experiment) time.Duration {
		return e.waits(s.Pace.Lag) + time.Duration(e.work()*float64(s.Pace.command()))
	}
	slices.SortStableFunc(all, func(a, b Experiment) int { return cmp.Compare(alone(b), alone(a)) })
}

// expected is how many trials the arm will have. One that ends when it has shown its
// claim has no more than it must, as a rule.
func (a Arm) expected() int {
	if a.UntilShown {
		return min(a.Trials, a.AtLeast+2)
	}
	return a.Trials
}

// experimentWait is how long an experiment waits that waits for nothing in particular: for
// its turn to start a sandbox, for that to be ready and to end, and for its looks. Of a
// machine with a tenth of a CPU it was said before that it takes 3 min 30 s, and it took 8.
const experimentWait = 1300 * time.Millisecond

// waits is how long the experiment waits, beside its work, where each answer lags.
func (e Experiment) waits(lag time.Duration) time.Duration {
	var sum, longest time.Duration
	for _, a := range e.Arms {
		wait := (a.Wait + lag) * time.Duration(a.expected()) / time.Duration(max(1, a.InFlight))
		sum, longest = sum+wait, max(longest, wait)
	}
	if e.SideBySide {
		return experimentWait + longest
	}
	return experimentWait + sum
}
