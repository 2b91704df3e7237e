package check

import (
	"testing"
	"time"
)

// One quiet window is enough, and who gets little of a CPU is not quiet.
func TestATargetThatSpinsDoesSoInEachWindow(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		seen   []window
		looked bool
		ok     bool
	}{
		"compiles at first":     {[]window{{400 * ms, 9, 10}, {300 * ms, 8, 10}, {10 * ms, 0, 10}}, true, true},
		"spins":                 {[]window{{499 * ms, 10, 10}, {480 * ms, 10, 10}}, true, false},
		"spins beside others":   {[]window{{70 * ms, 9, 10}, {60 * ms, 10, 10}}, true, false},
		"spins on a slow CPU":   {[]window{{10 * ms, 10, 10}, {20 * ms, 10, 10}}, true, false},
		"is seen at work twice": {[]window{{10 * ms, 2, 10}, {30 * ms, 1, 10}}, true, true},
		"too short":             {nil, false, false},
	} {
		checks := meanwhile(c.seen)
		if (len(checks) == 1) != c.looked || c.looked && checks[0].OK != c.ok {
			t.Errorf("%s: %+v", name, checks)
		}
	}
}
