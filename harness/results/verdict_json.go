package results

import (
	"path/filepath"
	"strconv"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// verdict is verdict.json.
type verdict struct {
	Verdict trial.Verdict `json:"verdict"`
	Problem string        `json:"problem,omitempty"`
	Tier    string        `json:"tier"`
	Runtime string        `json:"runtime"`
	Target  string        `json:"target"`
	Seed    uint64        `json:"seed"`
	Version string        `json:"version"`
	// Shard is K/N; Shards is how many a merged run was made of.
	Shard  string  `json:"shard,omitempty"`
	Shards int     `json:"shards,omitempty"`
	Factor float64 `json:"factor,omitempty"`
	Trials int     `json:"trials"`
	// Level is the lightest that fails.
	Level    trial.Level    `json:"level,omitempty"`
	Declares []string       `json:"declares,omitempty"`
	Causes   []verdictCause `json:"causes"`
	// StartMs is the median time until a sandbox was ready.
	StartMs   float64           `json:"startMs"`
	Scenarios []verdictScenario `json:"scenarios"`
	LeftOut   []LeftOut         `json:"leftOut,omitempty"`
}

type verdictScenario struct {
	ID      string        `json:"id"`
	Level   trial.Level   `json:"level,omitempty"`
	Verdict trial.Verdict `json:"verdict"`
	Reason  string        `json:"reason"`
	Waiver  *Waiver       `json:"waiver,omitempty"`
	Waived  Waived        `json:"waived,omitempty"`
	Arms    []verdictArm  `json:"arms"`
}

type verdictArm struct {
	Name         string        `json:"name"`
	Role         trial.Role    `json:"role"`
	Strategy     string        `json:"strategy,omitempty"`
	Claim        trial.Claim   `json:"claim"`
	Fault        string        `json:"fault,omitempty"`
	Trials       int           `json:"trials"`
	OK           int           `json:"ok"`
	Lost         int           `json:"lost"`
	Wrong        int           `json:"wrong"`
	Output       int           `json:"output"`
	Error        int           `json:"error"`
	Hung         int           `json:"hung"`
	FaultHits    int64         `json:"faultHits"`
	Upper95      float64       `json:"upper95"`
	StartMs      float64       `json:"startMs"`
	FailedChecks []trial.Check `json:"failedChecks,omitempty"`
}

// WriteVerdict writes verdict.json.
func WriteVerdict(dir string, run Run) error {
	return writeJSON(filepath.Join(dir, verdictFile), verdictOf(run))
}

func verdictOf(run Run) verdict {
	start, _ := run.Start()
	v := verdict{
		Verdict:   run.Verdict,
		Problem:   run.Info.Problem,
		Tier:      run.Info.Tier,
		Runtime:   run.Info.Runtime,
		Target:    run.Info.Target,
		Seed:      run.Info.Seed,
		Version:   run.Info.Version,
		Factor:    run.Info.Factor,
		Trials:    run.Trials(),
		Level:     run.Info.Level,
		Declares:  run.Info.Declares,
		Causes:    []verdictCause{},
		StartMs:   float64(start.Microseconds()) / 1000,
		Scenarios: []verdictScenario{},
		LeftOut:   run.Info.LeftOut,
		Shards:    len(run.Info.Machines),
	}
	if s := run.Info.Shard; s != nil {
		v.Shard = s.Place().String()
	}
	for _, c := range run.Causes {
		v.Causes = append(v.Causes, verdictCauseOf(c))
	}
	for _, f := range run.Findings {
		v.Scenarios = append(v.Scenarios, verdictScenarioOf(f))
	}
	return v
}

func verdictScenarioOf(f Finding) verdictScenario {
	s := verdictScenario{
		ID:      f.ID,
		Level:   f.Level,
		Verdict: f.Verdict,
		Reason:  f.Reason,
		Waiver:  f.Waiver,
		Waived:  f.Waived,
		Arms:    []verdictArm{},
	}
	for _, arm := range f.Arms {
		s.Arms = append(s.Arms, verdictArmOf(arm))
	}
	return s
}

func verdictArmOf(a Arm) verdictArm {
	return verdictArm{
		Name:         a.Plan.Arm,
		Role:         a.Plan.Role,
		Strategy:     a.Plan.Strategy,
		Claim:        a.Plan.Claim,
		Fault:        a.Plan.Fault,
		Trials:       a.Trials,
		OK:           a.Counts[trial.OK],
		Lost:         a.Counts[trial.Lost],
		Wrong:        a.Counts[trial.Wrong],
		Output:       a.Counts[trial.Output],
		Error:        a.Counts[trial.Error],
		Hung:         a.Counts[trial.Hung],
		FaultHits:    a.End.FaultHits,
		Upper95:      fourDigits(trial.Upper95(a.BadTrials(), a.Trials)),
		StartMs:      float64(a.End.StartMicros) / 1000,
		FailedChecks: a.FailedChecks(),
	}
}

// fourDigits keeps what counts of a bound, which is the same on every machine.
func fourDigits(v float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	if err != nil {
		return v
	}
	return rounded
}

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
