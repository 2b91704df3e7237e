package session

import (
	"testing"

	"github.com/reapcheck/reapcheck/harness/shard"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func TestPartsHaveEachTrialOnce(t *testing.T) {
	e := Experiment{Divides: 10, Arms: []Arm{
		{Name: "baseline", Trials: 200, UntilShown: true, AtLeast: 40, MinHits: 1},
		{Name: "candidate", Trials: 157, Bursts: true, InFlight: 8, MinHits: 150},
	}}
	if got := e.Parts(); got != 15 {
		t.Errorf("%d parts, want 15: the candidate has 157 trials", got)
	}
	for _, of := range []int{1, 3, 15} {
		next, least := make([]int, len(e.Arms)), make([]int, len(e.Arms))
		for k := 1; k <= of; k++ {
			for i, a := range e.Part(shard.Place{Number: k, Of: of}).Arms {
				if a.part.first != next[i] {
					t.Errorf("part %d of %d of %s begins at %d, want %d", k, of, a.Name,
						a.part.first, next[i])
				}
				if a.Bursts && a.part.first%a.InFlight != 0 {
					t.Errorf("part %d of %d tears a burst, at %d", k, of, a.part.first)
				}
				if a.MinHits < 1 || a.MinHits > int64(a.Trials) {
					t.Errorf("part %d of %d of %s: %d hits of %d trials", k, of, a.Name, a.MinHits,
						a.Trials)
				}
				next[i], least[i] = next[i]+a.Trials, least[i]+a.AtLeast
			}
		}
		for i, a := range e.Arms {
			if next[i] != a.Trials || least[i] != a.AtLeast {
				t.Errorf("%d parts of %s have %d trials and at least %d", of, a.Name, next[i],
					least[i])
			}
		}
	}
	if whole := (Experiment{Arms: e.Arms}); whole.Parts() != 1 {
		t.Errorf("an experiment that is whole has %d parts", whole.Parts())
	}
}

// A part counts its own trials, wherever in the arm they begin.
func TestAPartIsDoneByItsOwnCount(t *testing.T) {
	a := Arm{
		Role: trial.Candidate, Trials: 30, part: part{first: 60, whole: 90}, UntilShown: true,
		AtLeast: 5,
	}
	r := &runningArm{Arm: a}
	if r.done(60) {
		t.Error("the first trial of a part is left out before the claim is shown")
	}
	r.showing.note(61)
	r.showing.settleUncounted()
	if r.done(64) || !r.done(65) {
		t.Errorf("with 5 trials at least, from 60: 64 is left out %v, 65 %v", r.done(64),
			r.done(65))
	}
}
