package trial

import (
	"strings"
	"testing"
)

// A baseline that misbehaves in another way than it was made to proves nothing:
// the look at what it was made for may be blind.
func TestABaselineMustShowItsSymptoms(t *testing.T) {
	memory := FailedCheck("memory")
	check := Check{Name: "memory", Want: "at most 1", Got: "2"}
	for _, c := range []struct {
		name   string
		by     []Symptom
		counts map[Outcome]int
		checks []Check
		holds  bool
	}{
		{"another outcome", []Symptom{memory}, map[Outcome]int{Error: 9}, nil, false},
		{"a check that holds", []Symptom{memory}, map[Outcome]int{Error: 9},
			[]Check{{Name: "memory", OK: true}}, false},
		{"another check", []Symptom{memory}, map[Outcome]int{OK: 9}, []Check{{Name: "files"}},
			false},
		{"the check", []Symptom{memory}, map[Outcome]int{OK: 9}, []Check{check}, true},
		{"the outcome", []Symptom{"lost"}, map[Outcome]int{OK: 8, Lost: 1}, nil, true},
		{"one of two", []Symptom{"lost", memory}, map[Outcome]int{OK: 8, Lost: 1}, nil, false},
		{"both", []Symptom{"lost", memory}, map[Outcome]int{OK: 8, Lost: 1}, []Check{check}, true},
		{"the first of either", []Symptom{Symptom("lost").Or(memory)},
			map[Outcome]int{OK: 8, Lost: 1}, nil, true},
		{"the second of either", []Symptom{Symptom("lost").Or(memory)}, map[Outcome]int{Error: 9},
			[]Check{check}, true},
		{"neither", []Symptom{Symptom("lost").Or(memory)}, map[Outcome]int{Error: 9}, nil, false},
		{"no symptom", []Symptom{"ok"}, map[Outcome]int{OK: 8, Lost: 1}, nil, false},
		{"an old plan", nil, map[Outcome]int{OK: 8, Error: 1}, nil, true},
	} {
		s := Summary{Plan: Plan{Role: Baseline, Claim: Misbehaves, By: c.by, Trials: 9},
			Counts: c.counts, Trials: 9, Checks: c.checks, Ended: true}
		v, why := s.Judge()
		if (v == Pass) != c.holds || v == Fail {
			t.Errorf("%s: %v (%s)", c.name, v, why)
		}
		if !c.holds && !strings.Contains(why, "must misbehave by "+string(c.by[0])) {
			t.Errorf("%s: the reason %q does not name the symptom", c.name, why)
		}
	}
}

func TestSymptoms(t *testing.T) {
	for _, good := range []Symptom{"lost", "hung", FailedCheck("zombies"),
		Symptom("lost").Or(FailedCheck("zombies"))} {
		if err := good.Validate(); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []Symptom{"", "ok", "check", "check ", "zombies", "lost or zombies",
		"lost or "} {
		if bad.Validate() == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
