package results

import "github.com/reapcheck/reapcheck/harness/trial"

// verdictCause is one of the causes in verdict.json.
type verdictCause struct {
	ID        string           `json:"id"`
	Level     trial.Level      `json:"level,omitempty"`
	Weight    Weight           `json:"weight"`
	Title     string           `json:"title"`
	Look      string           `json:"look"`
	Choice    string           `json:"choice,omitempty"`
	Scenarios []verdictShowing `json:"scenarios"`
	Best      verdictBest      `json:"best"`
}

type verdictShowing struct {
	ID     string   `json:"id"`
	Bad    int      `json:"bad"`
	Of     int      `json:"of"`
	Checks []string `json:"checks,omitempty"`
}

// verdictBest is what shows the cause best: a trial or a check.
type verdictBest struct {
	Scenario string        `json:"scenario"`
	Arm      string        `json:"arm"`
	Symptom  trial.Symptom `json:"symptom"`
	Trial    *trial.Record `json:"trial,omitempty"`
	Check    *trial.Check  `json:"check,omitempty"`
}

func verdictCauseOf(f Found) verdictCause {
	v := verdictCause{
		ID:     f.ID,
		Level:  f.Level,
		Weight: f.Weight,
		Title:  f.Title,
		Look:   f.Look,
		Choice: f.Choice,
		Best: verdictBest{
			Scenario: f.Best.Scenario,
			Arm:      f.Best.Arm,
			Symptom:  f.Best.Symptom,
			Trial:    f.Best.Record,
			Check:    f.Best.Check,
		},
	}
	for _, s := range f.Scenarios {
		v.Scenarios = append(v.Scenarios, verdictShowing{s.Scenario, s.Bad, s.Trials, s.Checks})
	}
	return v
}
