package results

import (
	"cmp"
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

// ErrNoRun is Load's error for a folder that is not a run's.
var ErrNoRun = errors.New("it has no run.json")

// Load reads a result folder and judges its recordings.
func Load(dir string) (Run, error) {
	run := Run{Folder: dir}
	err := loadInfo(filepath.Join(dir, infoFile), &run.Info)
	if errors.Is(err, fs.ErrNotExist) {
		return Run{}, fmt.Errorf("%s is not a result folder: %w", dir, ErrNoRun)
	}
	if err != nil {
		return Run{}, fmt.Errorf("read result folder %s: %w", dir, err)
	}
	for _, s := range run.Info.Scenarios {
		finding, err := loadFinding(dir, s)
		if err != nil {
			return Run{}, err
		}
		run.Findings = append(run.Findings, finding)
	}
	extra, err := unnamed(dir, run.Info.Scenarios)
	if err != nil {
		return Run{}, err
	}
	run.judge(extra)
	return run, nil
}

func loadInfo(path string, info *Info) error {
	file, err := OpenFile(path)
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
func unnamed(dir string, named []trial.Scenario) (string, error) {
	recordings, err := fs.Glob(os.DirFS(dir), "*/*"+recordingExt)
	for _, recording := range recordings {
		id := path.Dir(recording)
		if !slices.ContainsFunc(named, func(s trial.Scenario) bool { return s.ID == id }) {
			return id, nil
		}
	}
	return "", err
}

// loadFinding reads one scenario's folder. A scenario without a folder was not
// reached.
func loadFinding(dir string, s trial.Scenario) (Finding, error) {
	f, names, err := findFolder(dir, s)
	if err != nil || f.Reason != "" {
		return f, err
	}
	return f, f.loadArms(dir, names)
}

// findFolder names what is in a scenario's folder.
func findFolder(dir string, s trial.Scenario) (Finding, []string, error) {
	f := Finding{Scenario: s}
	if !filepath.IsLocal(s.ID) || filepath.Base(s.ID) != s.ID {
		return f, nil, fmt.Errorf("read result folder: scenario %q is not the name of a folder",
			s.ID)
	}
	names, err := list(filepath.Join(dir, s.ID))
	if errors.Is(err, fs.ErrNotExist) {
		f.Reason = "not run: the run was cut before it"
		return f, nil, nil
	}
	if err != nil {
		return f, nil, fmt.Errorf("read result folder: %w", err)
	}
	return f, names, nil
}

func (f *Finding) loadArms(dir string, names []string) error {
	for _, name := range names {
		stem, ok := strings.CutSuffix(name, recordingExt)
		if !ok {
			continue
		}
		summary, err := loadRecording(filepath.Join(dir, f.ID, name))
		if err != nil {
			return err
		}
		arm := Arm{
			Summary:   summary,
			Recording: path.Join(f.ID, name),
			Artefacts: artefacts(f.ID, stem, names),
		}
		if err := arm.loadLogs(dir); err != nil {
			return err
		}
		f.Arms = append(f.Arms, arm)
	}
	sortArms(f.Arms)
	return nil
}

// artefacts are the files named <arm>-trial-<n>.<kind>, in the order of n.
func artefacts(folder, arm string, names []string) []Artefact {
	var found []Artefact
	for _, name := range names {
		rest, ok := strings.CutPrefix(name, arm+trialMark)
		number, _, _ := strings.Cut(rest, ".")
		if n, err := strconv.Atoi(number); ok && err == nil {
			found = append(found, Artefact{Trial: n, Path: path.Join(folder, name)})
		}
	}
	slices.SortStableFunc(found, func(a, b Artefact) int { return a.Trial - b.Trial })
	return found
}

// loadLogs reads the logs among the artefacts, each up to a limit far above what a
// run keeps.
func (a *Arm) loadLogs(dir string) error {
	for i := range a.Artefacts {
		artefact := &a.Artefacts[i]
		if !strings.HasSuffix(artefact.Path, logExt) {
			continue
		}
		text, err := loadLog(filepath.Join(dir, filepath.FromSlash(artefact.Path)))
		if err != nil {
			return fmt.Errorf("read artefact: %w", err)
		}
		artefact.Log = text
	}
	return nil
}

func loadLog(path string) ([]byte, error) {
	const limit = 4 << 20
	file, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, limit))
}

func loadRecording(path string) (trial.Summary, error) {
	file, err := OpenFile(path)
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

// sortArms puts arms in the order in which people read them: what belongs
// together side by side, the baseline first, and 8 before 64, 50ms before 1s.
func sortArms(arms []Arm) {
	var settings [][]string
	for _, a := range arms {
		if a.Plan.Role == trial.Candidate {
			settings = append(settings,
				words(strings.TrimPrefix(a.Plan.Arm, string(trial.Candidate))))
		}
	}
	slices.SortStableFunc(arms, func(a, b Arm) int {
		return cmp.Or(
			slices.CompareFunc(setting(a.Plan.Arm, settings), setting(b.Plan.Arm, settings),
				compareWords),
			cmp.Compare(roleRank(a.Plan.Role), roleRank(b.Plan.Role)),
			strings.Compare(a.Plan.Arm, b.Plan.Arm))
	})
}

func words(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '-' })
}

// setting is what remains of an arm's name without the side that it is on: the
// longest end that some candidate has too. baseline-8 stands beside
// candidate-8, and naive beside candidate.
func setting(arm string, settings [][]string) []string {
	all := words(arm)
	for i := range all {
		if slices.ContainsFunc(settings,
			func(s []string) bool { return slices.Equal(s, all[i:]) }) {
			return all[i:]
		}
	}
	return nil
}

func roleRank(r trial.Role) int {
	switch r {
	case trial.Baseline:
		return 0
	case trial.Candidate:
		return 1
	}
	return 2
}

// compareWords orders numbers and durations by size, before other words.
func compareWords(a, b string) int {
	x, xok := size(a)
	y, yok := size(b)
	switch {
	case xok && yok:
		return cmp.Or(cmp.Compare(x, y), strings.Compare(a, b))
	case xok:
		return -1
	case yok:
		return 1
	}
	return strings.Compare(a, b)
}

func size(word string) (float64, bool) {
	if n, err := strconv.ParseFloat(word, 64); err == nil {
		return n, true
	}
	d, err := time.ParseDuration(word)
	return float64(d), err == nil
}
