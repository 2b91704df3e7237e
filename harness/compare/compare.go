// Package compare judges two daemons, A and B, that were measured in turn: which is
// faster, which costs more, which leaks, and whether the noise allows to say so.
//
// Report is the front door: fill in what was measured, call Judge, and draw it. The
// package measures nothing and knows no sandbox.
//
// # How a figure is judged
//
// A round starts two instances of A and two of B, and lets all four take turns. Each
// round gives one ratio of B to A, and one of A to A and of B to B. What one round
// says has nothing to do with what another says, so that an instance which happens to
// be slow counts as noise. Of the rounds' ratios the middle is taken (Hodges and
// Lehmann, 1963) with a 99.99 % interval by Wilcoxon's signed ranks, which asks only that
// noise goes up as often as down. B is better or worse where that interval leaves out
// "no change" and the change is larger than what A, or B, showed against itself in the
// middle of the rounds.
package compare

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Report is compare.json.
type Report struct {
	Verdict trial.Verdict `json:"verdict"`
	// Problem says why the run ended before its end; it never passes then.
	Problem string `json:"problem,omitempty"`
	// A and B are what is compared, in words.
	A string `json:"a"`
	B string `json:"b"`
	// Tolerate is how much worse B may be, as a share: 0.05 is 5 %.
	Tolerate float64 `json:"tolerate"`
	results.Measurement
	// InFlight is how many requests were in flight while the figures were measured.
	InFlight    int          `json:"inFlight"`
	Differences []Difference `json:"differences"`
	// Latencies are those of all answers, in percentiles.
	Latencies Latencies `json:"latencies"`
	Leaks     *Leaks    `json:"leaks,omitempty"`
	Answers   Answers   `json:"answers"`
	// Died says how a daemon ended that should have lived.
	DiedA string `json:"diedA,omitempty"`
	DiedB string `json:"diedB,omitempty"`
	// Scenarios are the verdicts of two gates, side by side.
	Scenarios []Scenario `json:"scenarios"`
	// Reasons say in words why B is worse, or why nothing can be said.
	Reasons []string `json:"reasons"`
	// LeftOut says in words what was not compared.
	LeftOut []string `json:"leftOut"`
}

// Answers counts those that were not right, of how many.
type Answers struct {
	OfA  int    `json:"ofA"`
	BadA int    `json:"badA"`
	OfB  int    `json:"ofB"`
	BadB int    `json:"badB"`
	WhyB string `json:"whyB,omitempty"`
}

// Latencies are microseconds at each of Percents.
type Latencies struct {
	Percents []float64 `json:"percents"`
	A        []int64   `json:"a"`
	B        []int64   `json:"b"`
}

// NewReport has no part that is null in JSON.
func NewReport() *Report {
	return &Report{
		Measurement: results.Measurement{Argv: []string{}},
		Differences: []Difference{},
		Scenarios:   []Scenario{},
		Reasons:     []string{},
		LeftOut:     []string{},
		Latencies:   Latencies{Percents: []float64{}, A: []int64{}, B: []int64{}},
	}
}

// Judge makes the verdict, and says why. Whatever makes B worse beyond the tolerance is
// a fail; short of that, what keeps the report from its end makes it inconclusive.
func (r *Report) Judge() {
	r.Verdict, r.Reasons = trial.Pass, []string{}
	worse := r.worse()
	unsure := r.unsure()
	switch {
	case len(worse) > 0:
		r.Verdict, r.Reasons = trial.Fail, append(r.Reasons, worse...)
	case len(unsure) > 0:
		r.Verdict, r.Reasons = trial.Inconclusive, append(r.Reasons, unsure...)
	}
}

func (r *Report) worse() (reasons []string) {
	if r.DiedB != "" {
		reasons = append(reasons, "B did not survive: "+r.DiedB)
	}
	if r.Answers.worse() {
		reasons = append(reasons, r.Answers.String())
	}
	for _, d := range r.Differences {
		if d.BeyondTolerance {
			reasons = append(reasons, d.Sentence())
		}
	}
	if r.Leaks != nil {
		reasons = append(reasons, r.Leaks.worse()...)
	}
	for _, s := range r.Scenarios {
		if s.Change == New {
			reasons = append(reasons, "new failure: "+s.ID+": "+s.ReasonB)
		}
	}
	return reasons
}

func (r *Report) unsure() (reasons []string) {
	if r.Problem != "" {
		reasons = append(reasons, r.Problem)
	}
	if r.DiedA != "" {
		reasons = append(reasons, "A did not survive: "+r.DiedA)
	}
	if len(r.Differences) == 0 && len(r.Scenarios) == 0 {
		reasons = append(reasons, "nothing was compared")
	}
	for _, d := range r.Differences {
		if d.Word == Unknown {
			reasons = append(reasons, d.Name+": "+d.Why)
		}
	}
	for _, s := range r.Scenarios {
		if s.Change == NotProved {
			reasons = append(reasons, s.ID+" proved nothing of B: "+s.ReasonB)
		}
	}
	return reasons
}

// Write leaves compare.json, compare.md and compare.html in folder.
func (r *Report) Write(folder string) error {
	page, err := r.HTML()
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode compare.json: %w", err)
	}
	for name, content := range map[string][]byte{
		"compare.json": append(raw, '\n'), "compare.md": []byte(r.Markdown()), "compare.html": page,
	} {
		if err := results.Replace(filepath.Join(folder, name), content); err != nil {
			return err
		}
	}
	return nil
}
