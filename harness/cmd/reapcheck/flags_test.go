package main

import (
	"testing"

	"github.com/reapcheck/reapcheck/scenarios"
)

// Each scenario is run, or is left out for a reason.
func TestNoScenarioIsLeftOutWithoutAWord(t *testing.T) {
	const (
		answersOnly  = "since a target at a URL shows only its answers"
		noFaultPoint = "since this target has no fault points"
	)
	for name, c := range map[string]struct {
		common
		access scenarios.Access
		run    int // 0: not looked at
		why    map[string]string
	}{
		"all":          {common{}, scenarios.Inside, len(scenarios.List()), nil},
		"answers only": {common{}, scenarios.Answers, 6, map[string]string{"leaks": answersOnly}},
		"only": {common{only: []string{"storm", "leaks"}}, scenarios.Foreign, 2,
			map[string]string{"frozen": "not named by --only"}},
		"skip": {common{skip: []string{"storm"}}, scenarios.Foreign, 0,
			map[string]string{"storm": "named by --skip", "frozen": noFaultPoint}},
		"only and skip": {common{
			only: []string{"storm", "leaks"},
			skip: []string{"storm"},
		}, scenarios.Foreign, 1, map[string]string{"storm": "named by --skip"}},
	} {
		var o options
		if err := c.choose(&o, c.access); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, s := range o.scenarios {
			seen[s.ID] = true
		}
		for _, l := range o.leftOut {
			if want := c.why[l.ID]; seen[l.ID] || l.Why == "" || want != "" && l.Why != want {
				t.Errorf("%s: %+v, want %q", name, l, want)
			}
			seen[l.ID] = true
		}
		for id := range c.why {
			if !seen[id] {
				t.Errorf("%s: %s is not left out", name, id)
			}
		}
		if len(seen) != len(scenarios.List()) || c.run > 0 && len(o.scenarios) != c.run {
			t.Errorf("%s: %d run, %d named", name, len(o.scenarios), len(seen))
		}
	}
}
