package compare

import (
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Change is what became of a scenario from A to B.
type Change string

const (
	// Unchanged is the same verdict.
	Unchanged Change = "the same"
	// Mended is a scenario that A fails and B passes.
	Mended Change = "mended"
	// New is a scenario that A passes and B fails.
	New Change = "new"
	// NotProved is one that A passes and that is inconclusive for B, or one that B fails
	// and that was inconclusive for A.
	NotProved Change = "not proved"
	// Apart is one that says nothing against B, or was not run on both sides.
	Apart Change = "not compared"
)

// Scenario is one scenario's verdict of A and of B.
type Scenario struct {
	ID      string        `json:"id"`
	A       trial.Verdict `json:"a"`
	B       trial.Verdict `json:"b"`
	Change  Change        `json:"change"`
	ReasonA string        `json:"reasonA,omitempty"`
	ReasonB string        `json:"reasonB,omitempty"`
}

// Scenarios sets the findings of two runs side by side, in the order of A's.
func Scenarios(a, b results.Run) []Scenario {
	all := []Scenario{}
	ofB := map[string]results.Finding{}
	for _, f := range b.Findings {
		ofB[f.ID] = f
	}
	for _, f := range a.Findings {
		s := Scenario{ID: f.ID, A: f.Verdict, ReasonA: f.Reason, Change: Apart}
		if other, ok := ofB[f.ID]; ok {
			s.B, s.ReasonB = other.Verdict, other.Reason
			s.Change = changeOf(s.A, s.B)
			delete(ofB, f.ID)
		}
		all = append(all, s)
	}
	for _, f := range b.Findings {
		if _, left := ofB[f.ID]; left {
			all = append(all, Scenario{ID: f.ID, B: f.Verdict, ReasonB: f.Reason, Change: Apart})
		}
	}
	return all
}

func changeOf(a, b trial.Verdict) Change {
	switch {
	case a == b:
		return Unchanged
	case a == trial.Pass && b == trial.Fail:
		return New
	case a == trial.Fail && b == trial.Pass:
		return Mended
	case a == trial.Pass || b == trial.Fail: // one of both proved nothing
		return NotProved
	}
	return Apart
}
