package check

import (
	"testing"
	"time"
)

// One quiet window is enough, and who gets little of a CPU is not quiet.
func TestATargetThatSpinsDoesSoInEachWindow(t *testing.T) {
	const ms = time.Millisecond
	saw := func(used time.Duration, wanted, looks int) resting {
		return resting{last: cpuTime{used: used}, wanted: wanted, looks: looks}
	}
	for name, c := range map[string]struct {
		seen   []resting
		looked bool
		ok     bool
	}{
		"compiles at first":     {[]resting{saw(400*ms, 9, 10), saw(300*ms, 8, 10), saw(10*ms, 0, 10)}, true, true},
		"spins":                 {[]resting{saw(499*ms, 10, 10), saw(480*ms, 10, 10)}, true, false},
		"spins beside others":   {[]resting{saw(70*ms, 9, 10), saw(60*ms, 10, 10)}, true, false},
		"spins on a slow CPU":   {[]resting{saw(10*ms, 10, 10), saw(20*ms, 10, 10)}, true, false},
		"is seen at work twice": {[]resting{saw(10*ms, 2, 10), saw(30*ms, 1, 10)}, true, true},
		"too short":             {nil, false, false},
	} {
		checks := meanwhile(c.seen)
		if (len(checks) == 1) != c.looked || c.looked && checks[0].OK != c.ok {
			t.Errorf("%s: %+v", name, checks)
		}
	}
}
