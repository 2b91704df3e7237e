package bench

import (
	"testing"
	"time"
)

func TestABenchFitsItsMachine(t *testing.T) {
	whole := Scale{
		Parts: Parts, Strategies: []string{"none", "reaper-only", "documented", "registry"},
		Length: 90 * time.Second, Sleeps: []int{1000, 3000, 6000}, Commands: 100_000,
	}
	if got := whole.Fit(600 * time.Microsecond); got.Commands != whole.Commands ||
		len(got.Sleeps) != 3 || got.Length != whole.Length {
		t.Errorf("a fast machine is given less: %+v", got)
	}
	slow := whole.Fit(2500 * time.Microsecond)
	if takes := slow.Takes(2500 * time.Microsecond); takes > Limit {
		t.Errorf("a slow machine needs %v: %+v", takes, slow)
	}
	if last := slow.Sleeps[len(slow.Sleeps)-1]; last != claimSleeps {
		t.Errorf("nothing is required of %d sleeps", last)
	}
	if got := slow.sleepsOf(registry, claimSleeps); got != claimSleeps {
		t.Errorf("registry, of which something is required, has %d sleeps", got)
	}
	slowest := whole.Fit(time.Second)
	if slowest.Commands != leastCommands || len(slowest.Sleeps) != 1 ||
		slowest.sleepsOf("none", claimSleeps) != comparedSleeps ||
		slowest.Length != leastLength || slowest.Takes(time.Second) < Limit {
		t.Errorf("the slowest machine: %+v", slowest)
	}
	if len(whole.Sleeps) != 3 {
		t.Error("the given numbers were changed")
	}
}
