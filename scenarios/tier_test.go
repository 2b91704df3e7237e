package scenarios

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// slowest is a scale at which every arm is at its floor.
func slowest(tier session.Tier) session.Scale { return session.Scale{Tier: tier, Factor: 0.0001} }

// A slow machine has fewer trials, and no fewer cases: every kind of command that a
// scenario knows is among the trials of its floor.
func TestTheFloorHasEveryCase(t *testing.T) {
	for _, blackBox := range []bool{false, true} {
		for _, known := range List() {
			few := kinds(t, known.ID, blackBox, slowest(session.Standard))
			for arm, all := range kinds(t, known.ID, blackBox, session.Scale{}) {
				for kind := range all {
					if !few[arm][kind] {
						t.Errorf("%s/%s: no %s at the floor", known.ID, arm, kind)
					}
				}
			}
		}
	}
}

// kinds are the kinds of commands that each candidate arm executes.
func kinds(t *testing.T, id string, blackBox bool, scale session.Scale) map[string]map[string]bool {
	s := planning(t, blackBox)
	s.Scale = scale
	all := map[string]map[string]bool{}
	for _, arm := range plans[id](s).Arms {
		if arm.Role != trial.Candidate {
			continue
		}
		all[arm.Name] = map[string]bool{}
		for _, order := range arm.Orders {
			all[arm.Name][order.Kind] = arm.Trials >= len(arm.Orders)
		}
		for i := range arm.Trials {
			if arm.Orders != nil {
				break
			}
			for _, kind := range meetings(arm.Commands(i, load.Random(1, id, i)).Kind) {
				all[arm.Name][kind] = true
			}
		}
	}
	return all
}

// meetings are the words of a kind, and two and two of them.
func meetings(kind string) []string {
	words := strings.Split(kind, "+")
	all := slices.Clone(words)
	for i, word := range words {
		for _, before := range words[:i] {
			all = append(all, before+"+"+word)
		}
	}
	return all
}

// Where nothing is forced a number excludes a rate: see counts.go.
func TestStormsHaveTheirPower(t *testing.T) {
	const leastRate = 0.05 // of the codes that a racing daemon loses
	for _, c := range []struct {
		scale session.Scale
		rate  float64
	}{
		{slowest(session.Quick), leastRate / 5},
		{session.Scale{Tier: session.Standard}, leastRate / 100},
	} {
		s := planning(t, false)
		s.Scale = c.scale
		trials := 0
		for _, arm := range plans["storm"](s).Arms {
			if arm.Role == trial.Candidate {
				trials += arm.Trials
			}
		}
		if power := trial.Power(c.rate, trials); power < 0.95 {
			t.Errorf("%+v: %d trials see a rate of %g with a chance of %.2f", c.scale, trials,
				c.rate, power)
		}
	}
}

// All 256 exit codes are asked for on every machine.
func TestEveryExitCodeIsAskedForAtTheFloor(t *testing.T) {
	s := planning(t, false)
	s.Scale = slowest(session.Quick)
	codes := map[int]bool{}
	for _, arm := range plans["exit-codes"](s).Arms {
		for i := range arm.Trials {
			if arm.Role == trial.Candidate {
				codes[arm.Commands(i, load.Random(1, "exit-codes", i)).Want.Code] = true
			}
		}
	}
	if len(codes) != 256 {
		t.Errorf("%d codes: %v", len(codes), slices.Sorted(maps.Keys(codes)))
	}
}

// On a fast machine a tier does all that it has, in the time that it promises: one wait that is
// counted for each of many trials, and every run is as on a slow one.
func TestAFastMachineNeedsNoFewerTrials(t *testing.T) {
	s := planning(t, false)
	s.Pace = session.Pace{Command: 700 * time.Microsecond, Start: 10 * time.Millisecond}
	all := slices.DeleteFunc(List(), func(c trial.Scenario) bool { return LeftOut(c.ID, Inside) != "" })
	if takes := Fit(s, all); s.Scale.Factor != 1 || takes > s.Scale.Budget() {
		t.Errorf("factor %g, %v of %v", s.Scale.Factor, takes, s.Scale.Budget())
	}
}
