package session

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// Tier promises how long a run takes and what it can still tell, on whatever
// machine. The zero Tier is Standard.
type Tier string

const (
	Quick    Tier = "quick"    // one minute
	Standard Tier = "standard" // three minutes
	Soak     Tier = "soak"     // as long as asked for
)

// ParseTier reads a tier's name.
func ParseTier(name string) (Tier, error) {
	switch t := Tier(name); t {
	case Quick, Standard, Soak:
		return t, nil
	}
	return "", fmt.Errorf("unknown tier %q: choose quick, standard or soak", name)
}

// Count is how many trials an arm has.
type Count struct {
	// Floor is the least that proves something: every case of the scenario, and the
	// power that it must have. No machine is too slow for it.
	Floor int
	// Quick and Standard are how many are worth their time on a fast machine.
	Quick, Standard int
}

// Scale fixes the number of trials before the first one begins.
type Scale struct {
	Tier Tier
	// Duration is a soak's; other tiers ignore it.
	Duration time.Duration
	// Factor is the share of a Count that this machine has time for: 1 or less, and
	// more than 1 in a soak. Zero means 1. A run with the same seed and the same
	// factor has the same trials.
	Factor float64
}

// Trials is how many trials an arm has in this tier, on this machine.
func (s Scale) Trials(c Count) int {
	most := c.Standard
	if s.Tier == Quick {
		most = c.Quick
	}
	return max(c.Floor, int(math.Round(float64(most)*s.factor())))
}

func (s Scale) factor() float64 {
	if s.Factor == 0 {
		return 1
	}
	return s.Factor
}

// Budget is how long the run may take.
func (s Scale) Budget() time.Duration {
	switch s.Tier {
	case Quick:
		return time.Minute
	case Soak:
		return s.Duration
	}
	return 3 * time.Minute
}

// planned is the share of a budget that trials are planned for. The rest is for what
// comes before and after them, and for a machine that gets slower meanwhile.
const planned = 0.75

// leastFactor leaves every arm at its floor.
const leastFactor = 0.01

// AtFloor says whether every arm has the fewest trials that prove something.
func (s Scale) AtFloor() bool { return s.Factor == leastFactor }

// Fit is the largest factor with which the plan keeps to the budget, two digits
// long, and how long the plan then takes. A plan that does not fit at all gets the
// least factor, at which every arm is at its floor.
func (s Scale) Fit(estimate func(Scale) time.Duration) (Scale, time.Duration) {
	room := time.Duration(planned * float64(s.Budget()))
	least, most := leastFactor, 1.0
	if s.Tier == Soak {
		most = math.Ceil(float64(s.Duration) / float64(time.Second))
	}
	s.Factor = most
	takes := estimate(s)
	for takes > room && s.Factor > least {
		s.Factor = max(least, twoDigits(s.Factor*0.9))
		takes = estimate(s)
	}
	return s, takes
}

// twoDigits rounds down to two digits, as a person would write the factor.
func twoDigits(f float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(f))-1)
	f, _ = strconv.ParseFloat(strconv.FormatFloat(math.Floor(f/unit+1e-9)*unit, 'g', 2, 64), 64)
	return f
}
