package results

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Info is run.json: what a run was to do, and where. It is written before the
// first sandbox starts, so a scenario that left no recording is noticed.
type Info struct {
	// Run is the run's name, which its recordings bear too.
	Run     string            `json:"run"`
	Version string            `json:"version"`
	Seed    uint64            `json:"seed"`
	Tier    string            `json:"tier"`
	Runtime string            `json:"runtime"`
	About   map[string]string `json:"about,omitempty"` // what the runtime says of itself
	Target  string            `json:"target"`
	// TargetSHA256 is of the target's file, where it has one.
	TargetSHA256 string `json:"targetSha256,omitempty"`
	Kernel       string `json:"kernel"`
	CPUs         int    `json:"cpus"`
	// Factor is the share of a fast machine's trials that this one had time for, and
	// CommandMicros what a plain command took on it; 0 until that was measured.
	Factor        float64   `json:"factor,omitempty"`
	CommandMicros int64     `json:"commandUs,omitempty"`
	Argv          []string  `json:"argv"`
	Settings      []Setting `json:"settings,omitempty"`
	Started       time.Time `json:"started"`
	// Resumed is when a run that was cut was taken up again.
	Resumed   []time.Time      `json:"resumed,omitempty"`
	Scenarios []trial.Scenario `json:"scenarios"`
	// LeftOut are the scenarios that the run was not to try.
	LeftOut []LeftOut `json:"leftOut,omitempty"`
	// Level is the lightest that fails; empty in runs that are older than levels, which
	// fail by all.
	Level trial.Level `json:"level,omitempty"`
	// Declares are the choices that the target's dialect declares, or --declare.
	Declares []string `json:"declares,omitempty"`
	// Waivers are the known failures as they were when the run began.
	Waivers []Waiver `json:"waivers,omitempty"`
	// Shard is nil for a run that is not one of several.
	Shard *Shard `json:"shard,omitempty"`
	// Machines are where the shards were that the run was merged of.
	Machines []Machine `json:"machines,omitempty"`
	// Problem says why the run ended before its end; it is written then.
	Problem string `json:"problem,omitempty"`
}

// Run is a result folder, read and judged.
type Run struct {
	Folder  string // as it was given to Load
	Info    Info
	Verdict trial.Verdict
	// Own is what the recordings alone come to. A shard whose own part passes does not.
	Own      trial.Verdict
	Findings []Finding
	// Causes are what the findings come from, the worst first.
	Causes []Found
}

// Finding is one scenario's result.
type Finding struct {
	trial.Scenario
	Verdict trial.Verdict
	Reason  string
	Arms    []Arm
	// Waiver is the scenario's; nil where it has none.
	Waiver *Waiver
	Waived Waived
}

// Arm is one recording, counted, and the files that belong to it.
type Arm struct {
	trial.Summary
	// Recording is the path within the result folder, with slashes.
	Recording string
	// Artefacts are what was kept of single trials.
	Artefacts []Artefact
	// Defects are the ways in which a candidate misbehaved.
	Defects []Defect

	counted *trial.Summary // without what does not fail it; nil for the whole
	plain   []trial.Way    // in which its scenario's arms without a fault went wrong
}

// Artefact is a file that was kept of one trial, such as the target's log.
type Artefact struct {
	Trial int
	Path  string // within the result folder, with slashes
	// Log is the file's text where it is a log.
	Log []byte
}

// WriteInfo writes run.json.
func WriteInfo(dir string, info Info) error { return writeJSON(filepath.Join(dir, infoFile), info) }

// Setting is one setting of a run as it took effect. Secrets are masked before
// they come here.
type Setting struct {
	Name   string   `json:"name"`
	Values []string `json:"values,omitempty"`
	// From is "flag", "environment", "file" or "default".
	From string `json:"from"`
}

// LeftOut is a scenario that a run was not to try. Nothing is proved about it, and
// a report that did not say so would look like one of all scenarios.
type LeftOut struct {
	ID string `json:"id"`
	// Why is a phrase, the same for all that were left out for one reason.
	Why string `json:"why"`
}

// mostLeftOut are named; verdict.json has all. Whoever asks for one scenario need not read
// the names of 39 others.
const mostLeftOut = 12

// LeftOutNotes names what was left out, a sentence for each reason.
func (i Info) LeftOutNotes() []string {
	var reasons []string
	ids := map[string][]string{}
	for _, l := range i.LeftOut {
		if ids[l.Why] == nil {
			reasons = append(reasons, l.Why)
		}
		ids[l.Why] = append(ids[l.Why], l.ID)
	}
	var notes []string
	for _, why := range reasons {
		notes = append(notes,
			printable.Line(fmt.Sprintf("left out, %s: %s",
				why, printable.Some(mostLeftOut, ids[why]))))
	}
	return notes
}

// DeclaredNotes names the target's declared choices, in a sentence; none for nothing.
func (i Info) DeclaredNotes() []string {
	if len(i.Declares) == 0 {
		return nil
	}
	return []string{printable.Line("declared, and judged as that: " +
		strings.Join(i.Declares, ", "))}
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
	return time.Duration(trial.Quantile(starts, 0.5)) * time.Microsecond, len(starts)
}

// Tally adds up the trials of arms.
type Tally struct{ Trials, Bad, Lost int }

// Rate is the share of bad trials; 0 of none.
func (t Tally) Rate() float64 { return trial.Rate(t.Bad, t.Trials) }

// Tally adds up the arms of a role.
func (f Finding) Tally(role trial.Role) Tally {
	var t Tally
	for _, a := range f.Arms {
		if a.Plan.Role == role {
			t.Trials, t.Bad, t.Lost = t.Trials+a.Trials, t.Bad+a.BadTrials(),
				t.Lost+a.Counts[trial.Lost]
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
		if a.Plan.Fault != "" || a.Plan.UntilShown && a.Plan.AtLeast == 0 ||
			a.Plan.Role == trial.Baseline && a.Plan.Claim != trial.Loses {
			return 0, false
		}
	}
	base, candidate := f.Tally(trial.Baseline), f.Tally(trial.Candidate)
	if base.Lost == 0 || candidate.Trials == 0 {
		return 0, false
	}
	return trial.Power(trial.Rate(base.Lost, base.Trials)/100, candidate.Trials), true
}
