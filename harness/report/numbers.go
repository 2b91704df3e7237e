package report

import (
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// outcomes that are not ok, the worst first.
var badOutcomes = []trial.Outcome{trial.Wrong, trial.Lost, trial.Output, trial.Error, trial.Hung}

// tally adds up arms.
type tally struct{ trials, bad, lost int }

func tallyOf(f results.Finding, role trial.Role) tally {
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
func power(f results.Finding) (power float64, ok bool) {
	for _, a := range f.Arms {
		if a.Plan.Fault != "" || a.Plan.UntilShown && a.Plan.AtLeast == 0 || a.Plan.Role == trial.Baseline && a.Plan.Claim != trial.Loses {
			return 0, false
		}
	}
	base, candidate := tallyOf(f, trial.Baseline), tallyOf(f, trial.Candidate)
	if base.lost == 0 || candidate.trials == 0 {
		return 0, false
	}
	return trial.Power(rate(base.lost, base.trials)/100, candidate.trials), true
}
