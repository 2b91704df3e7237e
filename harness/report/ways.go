package report

import (
	"slices"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// Ways of failing beside the outcomes: promises about the sandbox.
const (
	targetCheck = "target" // PID 1 did not run on, or did not end as it had to
	otherCheck  = "check"  // any other one
)

// usualWays are what a waiver accepts that names none. A wrong code is worse than
// any that is lost, and a daemon that ends is another defect.
var usualWays = []string{string(trial.Lost), string(trial.Output), string(trial.Error), string(trial.Hung), otherCheck}

// ways are how the scenario's candidates fail, each one once.
func (f Finding) ways() []string {
	var ways []string
	for _, a := range f.Arms {
		if v, _ := a.Judge(); v != trial.Fail {
			continue
		}
		for outcome, n := range a.Counts {
			if n > 0 && outcome != trial.OK {
				ways = append(ways, string(outcome))
			}
		}
		for _, c := range a.FailedChecks() {
			if c.Name == targetCheck {
				ways = append(ways, targetCheck)
			} else {
				ways = append(ways, otherCheck)
			}
		}
	}
	slices.Sort(ways)
	return slices.Compact(ways)
}

// beyond are the ways in which the scenario fails and which the waiver does not
// accept.
func (w Waiver) beyond(ways []string) []string {
	accepted := w.Outcomes
	if len(accepted) == 0 {
		accepted = usualWays
	}
	return slices.DeleteFunc(slices.Clone(ways), func(way string) bool { return slices.Contains(accepted, way) })
}
