package results

import "github.com/reapcheck/reapcheck/harness/trial"

// Tally adds up the trials of arms.
type Tally struct{ Trials, Bad, Lost int }

// Rate is the share of bad trials; 0 of none.
func (t Tally) Rate() float64 { return trial.Rate(t.Bad, t.Trials) }

// Tally adds up the arms of a role.
func (f Finding) Tally(role trial.Role) Tally {
	var t Tally
	for _, a := range f.Arms {
		if a.Plan.Role == role {
			t.Trials, t.Bad, t.Lost = t.Trials+a.Trials, t.Bad+a.BadTrials(), t.Lost+a.Counts[trial.Lost]
		}
	}
	return t
}

// Power is the chance that the candidate's trials would have shown a daemon
// that fails at a hundredth of the baseline's rate. It says nothing, and ok is
// false, where a fault decides who wins, one trial being enough then, and where the
// baseline ended with its first loss, which tells no rate.
func (f Finding) Power() (power float64, ok bool) {
	for _, a := range f.Arms {
		if a.Plan.Fault != "" || a.Plan.UntilShown && a.Plan.AtLeast == 0 || a.Plan.Role == trial.Baseline && a.Plan.Claim != trial.Loses {
			return 0, false
		}
	}
	base, candidate := f.Tally(trial.Baseline), f.Tally(trial.Candidate)
	if base.Lost == 0 || candidate.Trials == 0 {
		return 0, false
	}
	return trial.Power(trial.Rate(base.Lost, base.Trials)/100, candidate.Trials), true
}
