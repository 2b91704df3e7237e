// Package report turns a result folder into what people and machines read.
//
// Load and Write are the front door. Everything is drawn from the folder's
// files, so that an old run can be judged again; nothing is measured here.
package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// Scenario names one finding.
type Scenario struct {
	ID   string `json:"id"`
	Text string `json:"text"`
}

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
	Kernel  string            `json:"kernel"`
	CPUs    int               `json:"cpus"`
	// Factor is the share of a fast machine's trials that this one had time for, and
	// CommandMicros what a plain command took on it; 0 until that was measured.
	Factor        float64    `json:"factor,omitempty"`
	CommandMicros int64      `json:"commandUs,omitempty"`
	Argv          []string   `json:"argv"`
	Settings      []Setting  `json:"settings,omitempty"`
	Started       time.Time  `json:"started"`
	Scenarios     []Scenario `json:"scenarios"`
	// LeftOut are the scenarios that the run was not to try.
	LeftOut []LeftOut `json:"leftOut,omitempty"`
	// Waivers are the known findings as they were when the run began.
	Waivers []Waiver `json:"waivers,omitempty"`
	// Problem says why the run ended before its end; it is written then.
	Problem string `json:"problem,omitempty"`
}

// Run is a result folder, read and judged.
type Run struct {
	Folder   string // as it was given to Load
	Info     Info
	Verdict  trial.Verdict
	Findings []Finding
}

// Finding is one scenario's result.
type Finding struct {
	Scenario
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
}

// Artefact is a file that was kept of one trial, such as the target's log.
type Artefact struct {
	Trial int
	Path  string // within the result folder, with slashes
	log   []logLine
}

// WriteInfo writes run.json.
func WriteInfo(dir string, info Info) error { return writeJSON(filepath.Join(dir, "run.json"), info) }

// ErrNoRun is Load's error for a folder that is not a run's.
var ErrNoRun = errors.New("it has no run.json")

// Load reads a result folder and judges its recordings.
func Load(dir string) (Run, error) {
	run := Run{Folder: dir}
	err := loadInfo(filepath.Join(dir, "run.json"), &run.Info)
	if errors.Is(err, fs.ErrNotExist) {
		return Run{}, fmt.Errorf("%s is no result folder: %w", dir, ErrNoRun)
	}
	if err != nil {
		return Run{}, fmt.Errorf("read result folder %s: %w", dir, err)
	}
	for _, s := range run.Info.Scenarios {
		finding, err := loadFinding(dir, run.Info.Run, s)
		if err != nil {
			return Run{}, err
		}
		finding.waive(run.Info.Waivers, run.Info.Started)
		run.Findings = append(run.Findings, finding)
	}
	run.Verdict = overall(run.Findings)
	if extra, err := unnamed(dir, run.Info.Scenarios); err != nil {
		return Run{}, err
	} else if extra != "" && run.Info.Problem == "" {
		run.Info.Problem = fmt.Sprintf("the folder has recordings of %s, which run.json does not name", extra)
	}
	if run.Info.Problem != "" && run.Verdict == trial.Pass {
		run.Verdict = trial.Inconclusive
	}
	return run, nil
}

func loadInfo(path string, info *Info) error {
	file, err := open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	raw, err := io.ReadAll(file)
	if err == nil {
		err = json.Unmarshal(raw, info)
	}
	if err != nil {
		return fmt.Errorf("run.json: %w", err)
	}
	return nil
}

// unnamed is a folder with recordings that is none of the scenarios', empty if
// there is none. A run.json without a scenario that failed is not the run's.
func unnamed(dir string, named []Scenario) (string, error) {
	recordings, err := fs.Glob(os.DirFS(dir), "*/*.jsonl")
	for _, recording := range recordings {
		id := path.Dir(recording)
		if !slices.ContainsFunc(named, func(s Scenario) bool { return s.ID == id }) {
			return id, nil
		}
	}
	return "", err
}

// loadFinding reads one scenario's folder. A scenario without a folder was not
// reached.
func loadFinding(dir, run string, s Scenario) (Finding, error) {
	f := Finding{Scenario: s}
	if !filepath.IsLocal(s.ID) || filepath.Base(s.ID) != s.ID {
		return f, fmt.Errorf("read result folder: scenario %q is no folder name", s.ID)
	}
	names, err := list(filepath.Join(dir, s.ID))
	if errors.Is(err, fs.ErrNotExist) {
		f.Reason = "not run: the run was cut before it"
		return f, nil
	}
	if err != nil {
		return f, fmt.Errorf("read result folder: %w", err)
	}
	if err := f.loadArms(dir, names); err != nil {
		return f, err
	}
	if why := f.mixture(run); why != "" && f.Verdict != trial.Fail {
		f.Verdict, f.Reason = trial.Inconclusive, why
	}
	return f, nil
}

func (f *Finding) loadArms(dir string, names []string) error {
	var summaries []trial.Summary
	for _, name := range names {
		stem, ok := strings.CutSuffix(name, ".jsonl")
		if !ok {
			continue
		}
		summary, err := loadRecording(filepath.Join(dir, f.ID, name))
		if err != nil {
			return err
		}
		arm := Arm{Summary: summary, Recording: path.Join(f.ID, name), Artefacts: artefacts(f.ID, stem, names)}
		if err := arm.loadLogs(dir); err != nil {
			return err
		}
		f.Arms = append(f.Arms, arm)
	}
	sortArms(f.Arms)
	for _, a := range f.Arms {
		summaries = append(summaries, a.Summary)
	}
	f.Verdict, f.Reason = trial.Judge(summaries)
	return nil
}

// artefacts are the files named <arm>-trial-<n>.<kind>, in the order of n.
func artefacts(folder, arm string, names []string) []Artefact {
	var found []Artefact
	for _, name := range names {
		rest, ok := strings.CutPrefix(name, arm+"-trial-")
		number, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.Atoi(number); ok && err == nil {
			found = append(found, Artefact{Trial: n, Path: path.Join(folder, name)})
		}
	}
	slices.SortStableFunc(found, func(a, b Artefact) int { return a.Trial - b.Trial })
	return found
}

// loadLogs reads the logs among the artefacts.
func (a *Arm) loadLogs(dir string) error {
	for i := range a.Artefacts {
		artefact := &a.Artefacts[i]
		if !strings.HasSuffix(artefact.Path, ".log") {
			continue
		}
		lines, err := loadLog(filepath.Join(dir, filepath.FromSlash(artefact.Path)))
		if err != nil {
			return fmt.Errorf("read artefact: %w", err)
		}
		artefact.log = lines
	}
	return nil
}

// loadLog reads up to a limit far above what a session keeps.
func loadLog(path string) ([]logLine, error) {
	const limit = 4 << 20
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, limit))
	return parseLog(text), err
}

func loadRecording(path string) (trial.Summary, error) {
	file, err := open(path)
	if err != nil {
		return trial.Summary{}, fmt.Errorf("read recording: %w", err)
	}
	defer file.Close()
	summary, err := trial.Read(file)
	if err != nil {
		return summary, fmt.Errorf("read recording %s: %w", path, err)
	}
	return summary, nil
}

func writeJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", filepath.Base(path), err)
	}
	return replace(path, append(raw, '\n'))
}
