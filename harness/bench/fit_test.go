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
	if got := whole.Fit(Pace{Machine: 600 * time.Microsecond}); got.Commands != whole.Commands ||
		len(got.Sleeps) != 3 || got.Length != whole.Length {
		t.Errorf("a fast machine is given less: %+v", got)
	}
	pace := Pace{Machine: 2500 * time.Microsecond}
	slow := whole.Fit(pace)
	if takes := slow.Takes(pace); takes > Limit {
		t.Errorf("a slow machine needs %v: %+v", takes, slow)
	}
	if last := slow.Sleeps[len(slow.Sleeps)-1]; last != claimSleeps {
		t.Errorf("nothing is required of %d sleeps", last)
	}
	if got := slow.sleepsOf(registry, claimSleeps); got != claimSleeps {
		t.Errorf("registry, of which something is required, has %d sleeps", got)
	}
	slowest := whole.Fit(Pace{Machine: time.Second})
	if slowest.Commands != leastCommands || len(slowest.Sleeps) != 1 ||
		slowest.sleepsOf("none", claimSleeps) != comparedSleeps ||
		slowest.Length != leastLength || slowest.Takes(Pace{Machine: time.Second}) < Limit {
		t.Errorf("the slowest machine: %+v", slowest)
	}
	if len(whole.Sleeps) != 3 {
		t.Error("the given numbers were changed")
	}
}

// A daemon that starts 30 commands a second, on a machine that starts 300, has its price
// measured in five minutes too, with no more in flight than it can start by then.
func TestABenchFitsItsDaemon(t *testing.T) {
	pace := Pace{Machine: 3 * time.Millisecond, Candidate: 33 * time.Millisecond}
	whole := Scale{
		Parts: Parts, Strategies: []string{Candidate, registry},
		Length: 90 * time.Second, Sleeps: []int{100, 1000}, Commands: 100_000,
	}
	fitted := whole.Fit(pace)
	if takes := fitted.Takes(pace); takes > Limit || len(fitted.Sleeps) != 1 ||
		fitted.Sleeps[0] != 100 {
		t.Errorf("%v: %+v", takes, fitted)
	}
	if pace.Candidate = time.Millisecond; whole.Takes(pace) != whole.Takes(Pace{Machine: pace.Machine}) {
		t.Error("a daemon that is faster than the machine is expected to be")
	}
}
