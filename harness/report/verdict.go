package report

import (
	"strconv"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// verdictFile is verdict.json.
type verdictFile struct {
	Verdict trial.Verdict `json:"verdict"`
	Problem string        `json:"problem,omitempty"`
	Tier    string        `json:"tier"`
	Runtime string        `json:"runtime"`
	Target  string        `json:"target"`
	Seed    uint64        `json:"seed"`
	Version string        `json:"version"`
	Factor  float64       `json:"factor,omitempty"`
	Trials  int           `json:"trials"`
	// StartMs is the median time until a sandbox was ready.
	StartMs   float64           `json:"startMs"`
	Scenarios []verdictScenario `json:"scenarios"`
	LeftOut   []LeftOut         `json:"leftOut,omitempty"`
}

type verdictScenario struct {
	ID      string        `json:"id"`
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

func verdictOf(run Run) verdictFile {
	start, _ := run.Start()
	v := verdictFile{
		Verdict: run.Verdict, Problem: run.Info.Problem, Tier: run.Info.Tier, Runtime: run.Info.Runtime,
		Target: run.Info.Target, Seed: run.Info.Seed, Version: run.Info.Version, Factor: run.Info.Factor, Trials: run.Trials(),
		StartMs: float64(start.Microseconds()) / 1000, Scenarios: []verdictScenario{}, LeftOut: run.Info.LeftOut,
	}
	for _, f := range run.Findings {
		s := verdictScenario{ID: f.ID, Verdict: f.Verdict, Reason: f.Reason, Waiver: f.Waiver, Waived: f.Waived, Arms: []verdictArm{}}
		for _, arm := range f.Arms {
			s.Arms = append(s.Arms, verdictArmOf(arm))
		}
		v.Scenarios = append(v.Scenarios, s)
	}
	return v
}

func verdictArmOf(a Arm) verdictArm {
	return verdictArm{
		Name: a.Plan.Arm, Role: a.Plan.Role, Strategy: a.Plan.Strategy, Claim: a.Plan.Claim, Fault: a.Plan.Fault,
		Trials: a.Trials, OK: a.Counts[trial.OK], Lost: a.Counts[trial.Lost], Wrong: a.Counts[trial.Wrong],
		Output: a.Counts[trial.Output], Error: a.Counts[trial.Error], Hung: a.Counts[trial.Hung],
		FaultHits: a.End.FaultHits, Upper95: fourDigits(trial.Upper95(a.BadTrials(), a.Trials)),
		StartMs: float64(a.End.StartMicros) / 1000, FailedChecks: a.FailedChecks(),
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
