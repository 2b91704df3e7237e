package report

import (
	"math"
	"slices"
	"time"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// outcomes that are not ok, the worst first.
var badOutcomes = []trial.Outcome{trial.Wrong, trial.Lost, trial.Output, trial.Error, trial.Hung}

// tally adds up arms.
type tally struct{ trials, bad, lost int }

func (f Finding) tally(role trial.Role) tally {
	var t tally
	for _, a := range f.Arms {
		if a.Plan.Role == role {
			t.trials, t.bad, t.lost = t.trials+a.Trials, t.bad+a.BadTrials(), t.lost+a.Counts[trial.Lost]
		}
	}
	return t
}

func rate(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// power is the chance that the candidate's trials would have shown a daemon
// that fails at a hundredth of the baseline's rate. It says nothing, and ok is
// false, where a fault decides who wins, one trial being enough then, and where the
// baseline ended with its first loss, which tells no rate.
func (f Finding) power() (power float64, ok bool) {
	for _, a := range f.Arms {
		if a.Plan.Fault != "" || a.Plan.UntilShown && a.Plan.AtLeast == 0 || a.Plan.Role == trial.Baseline && a.Plan.Claim != trial.Loses {
			return 0, false
		}
	}
	base, candidate := f.tally(trial.Baseline), f.tally(trial.Candidate)
	if base.lost == 0 || candidate.trials == 0 {
		return 0, false
	}
	return trial.Power(rate(base.lost, base.trials)/100, candidate.trials), true
}

// Trials is how many trials of the run were judged.
func (r Run) Trials() int {
	n := 0
	for _, f := range r.Findings {
		for _, arm := range f.Arms {
			n += arm.Trials
		}
	}
	return n
}

// Start is the median time until a sandbox was ready, and of how many.
func (r Run) Start() (time.Duration, int) {
	var starts []int64
	for _, f := range r.Findings {
		for _, arm := range f.Arms {
			if arm.End.StartMicros > 0 {
				starts = append(starts, arm.End.StartMicros)
			}
		}
	}
	slices.Sort(starts)
	return time.Duration(quantile(starts, 0.5)) * time.Microsecond, len(starts)
}

// quantile of sorted numbers by nearest rank; 0 of none.
func quantile(sorted []int64, q float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}
