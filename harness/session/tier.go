package session

import (
	"fmt"
	"time"
)

// Tier says how much a run tries.
type Tier string

const (
	Quick    Tier = "quick"    // at least 10,000 trials
	Standard Tier = "standard" // at least 100,000 trials
	Soak     Tier = "soak"     // as many as fit into a duration
)

// standardRun is about how long the standard tier takes on two cores; a soak
// is so many standard runs.
const standardRun = 2 * time.Minute

// ParseTier reads a tier's name.
func ParseTier(name string) (Tier, error) {
	switch t := Tier(name); t {
	case Quick, Standard, Soak:
		return t, nil
	}
	return "", fmt.Errorf("unknown tier %q: choose quick, standard or soak", name)
}

// Scale fixes the number of trials before the first one begins.
type Scale struct {
	Tier Tier
	// Duration is a soak's; it is not looked at in other tiers.
	Duration time.Duration
}

// Trials chooses by tier. A soak multiplies the standard number.
func (s Scale) Trials(quick, standard int) int {
	switch s.Tier {
	case Quick:
		return quick
	case Soak:
		return standard * max(1, int(s.Duration/standardRun))
	}
	return standard
}
