package report

import (
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func armWith(role trial.Role, planned int, counts map[trial.Outcome]int) results.Arm {
	s := trial.Summary{
		Plan:   trial.Plan{Arm: string(role), Role: role, Claim: trial.NoClaim, Trials: planned},
		Counts: counts,
		Ended:  true,
		End:    trial.End{FaultHits: 1},
	}
	for _, n := range counts {
		s.Trials += n
	}
	return results.Arm{Summary: s}
}

func TestWitnessNote(t *testing.T) {
	for _, c := range []struct {
		name               string
		candidate, witness map[trial.Outcome]int
		want               string
	}{
		{"a race", map[trial.Outcome]int{trial.Lost: 500},
			map[trial.Outcome]int{trial.OK: 9,
				trial.Lost: 1},
			"1 of 10 answers were bad instead of 500 of 500: the order decides"},
		{"lost either way", map[trial.Outcome]int{trial.Lost: 500},
			map[trial.Outcome]int{trial.Lost: 10},
			"10 of 10 answers were bad too: the race is not all"},
		{"a race that is hidden by a made-up code", map[trial.Outcome]int{trial.Wrong: 500},
			map[trial.Outcome]int{trial.OK: 9, trial.Wrong: 1}, "the order decides"},
		{"sound", map[trial.Outcome]int{trial.OK: 500}, map[trial.Outcome]int{trial.OK: 10},
			"all 10 answers were right too"},
		{"bad the other way only", map[trial.Outcome]int{trial.OK: 500},
			map[trial.Outcome]int{trial.OK: 9, trial.Hung: 1}, "1 of 10 answers were bad."},
		{"one bad answer", map[trial.Outcome]int{trial.OK: 499, trial.Lost: 1},
			map[trial.Outcome]int{trial.OK: 10},
			"0 of 10 answers were bad instead of 1 of 500: too few to say"},
		{"bad half as often", map[trial.Outcome]int{trial.OK: 450, trial.Lost: 50},
			map[trial.Outcome]int{trial.OK: 10}, "too few to say"},
		{"cut", map[trial.Outcome]int{trial.Lost: 500}, map[trial.Outcome]int{trial.OK: 3}, ""},
		{"no witness", map[trial.Outcome]int{trial.Lost: 500}, nil, ""},
	} {
		f := results.Finding{Arms: []results.Arm{armWith(trial.Candidate, 500, c.candidate)}}
		if c.witness != nil {
			f.Arms = append(f.Arms, armWith(trial.Witness, 10, c.witness))
		}
		if got := witnessNote(f); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

// Where no one was made to come first the answers say nothing of an order.
func TestAWitnessWhoseFaultNeverHitSaysNothing(t *testing.T) {
	witness := armWith(trial.Witness, 10, map[trial.Outcome]int{trial.OK: 10})
	witness.End.FaultHits = 0
	f := results.Finding{Arms: []results.Arm{armWith(trial.Candidate, 500,
		map[trial.Outcome]int{trial.Lost: 500}), witness}}
	if got := witnessNote(f); got != "" {
		t.Error(got)
	}
}
