// Package merge makes one result folder of those of the shards of a plan, to be judged
// and reported as one run.
//
// Find looks for the shards, and Plan.Write puts their recordings together. What is not
// as it must be, a shard that is missing, cut, doubled or of another plan, becomes the
// problem of the merged run: with one it never passes. Recordings are copied line by
// line, and memory does not grow with them.
package merge

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/shard"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// attempt is a folder that a shard has left.
type attempt struct {
	folder string
	number int
	plan   string
	done   bool
	about  results.Machine
}

// Plan is what all shards were to do, and those that there are.
type Plan struct {
	info results.Info // of one of them
	// shards are one for each number.
	shards map[int]attempt
	// replaced are attempts beside them.
	replaced []attempt
	problems []string
}

// ErrNoShard means that there is nothing to merge.
var ErrNoShard = errors.New(
	"no shard was found: name the result folders of shards, or a folder that holds them")

// Find reads what the folders are, or the folders in them.
func Find(paths []string) (*Plan, error) {
	p := &Plan{shards: map[int]attempt{}}
	var all []attempt
	infos := map[string]results.Info{} // the first of each plan
	folders, err := p.folders(paths)
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		info, err := results.ReadInfo(folder)
		if err != nil {
			p.problem("%s is damaged: %v", folder, err)
			continue
		}
		if info.Shard == nil {
			continue // a whole run beside the shards, such as what they were merged into
		}
		if why := wrong(info); why != "" {
			p.problem("%s is damaged: %s", folder, why)
			continue
		}
		s := info.Shard
		all = append(all, attempt{folder, s.Number, s.Plan, s.Done, machine(info)})
		if _, known := infos[info.Shard.Plan]; !known {
			infos[info.Shard.Plan] = info
		}
	}
	if len(all) == 0 {
		return nil, errors.Join(append([]error{ErrNoShard}, p.errors()...)...)
	}
	p.info = infos[commonest(all)]
	p.sort(all, infos)
	return p, nil
}

// folders are those with a run.json.
func (p *Plan) folders(paths []string) ([]string, error) {
	all, problems, err := Folders(paths, results.IsRun)
	for _, text := range problems {
		p.problem("%s", text)
	}
	return all, err
}

// Folders are those of the paths, or below them, that are what is looked for: each once,
// by whatever name it was given, and none within another. What cannot be read is named.
func Folders(paths []string, is func(folder string) bool) (all, problems []string, err error) {
	seen := map[string]bool{}
	for _, path := range paths {
		path, err := filepath.EvalSymlinks(path)
		if err != nil {
			return nil, nil, fmt.Errorf("find shards: %w", err)
		}
		err = filepath.WalkDir(path, func(folder string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				problems = append(problems, fmt.Sprintf("%s cannot be read: %v", folder, err))
				return fs.SkipDir
			case !entry.IsDir():
				return nil
			case !is(folder):
				return deeper(path, folder)
			}
			if full, err := filepath.Abs(folder); err == nil && !seen[full] {
				seen[full] = true
				all = append(all, folder)
			}
			return fs.SkipDir
		})
		if err != nil {
			return nil, nil, fmt.Errorf("find shards: %w", err)
		}
	}
	return all, problems, nil
}

// deeper looks into a folder that is no run's, unless that is too far from where it was
// begun.
func deeper(from, folder string) error {
	const most = 4
	below, err := filepath.Rel(from, folder)
	if err == nil && strings.Count(below, string(filepath.Separator)) < most {
		return nil
	}
	return fs.SkipDir
}

// wrong says why a run.json cannot be a shard's.
func wrong(info results.Info) string {
	s := info.Shard
	switch {
	case s.Place().Check() != nil || s.Of == 0:
		return fmt.Sprintf("run.json: shard %v is invalid", s.Place())
	case s.Plan == "" && s.Done:
		return "run.json names no plan"
	case s.Plan != "" && s.Plan != info.PlanID():
		return "run.json is not of the plan that it names"
	}
	return ""
}

func machine(info results.Info) results.Machine {
	return results.Machine{
		Shard: info.Shard.Number, Run: info.Run, Kernel: info.Kernel, CPUs: info.CPUs,
		Runtime: info.Runtime, Engine: info.About["engine"], CommandMicros: info.CommandMicros,
		Started: info.Started,
	}
}

// commonest is the plan that the most attempts are of; of several, that of the first.
func commonest(all []attempt) string {
	counts := map[string]int{}
	for _, a := range all {
		if a.plan != "" {
			counts[a.plan]++
		}
	}
	best := ""
	for _, a := range all {
		if counts[a.plan] > counts[best] {
			best = a.plan
		}
	}
	return best
}

// sort chooses one attempt for each shard: the one that has come to its end, or else the
// newest.
func (p *Plan) sort(all []attempt, infos map[string]results.Info) {
	foreign := map[string][]attempt{}
	slices.SortStableFunc(all, func(a, b attempt) int {
		return cmp.Or(cmp.Compare(a.number, b.number), a.about.Started.Compare(b.about.Started))
	})
	for _, a := range all {
		switch before, there := p.shards[a.number]; {
		case a.plan == "":
			p.replaced = append(p.replaced, a) // it was cut before it knew its plan
		case p.info.Shard == nil || a.plan != p.info.Shard.Plan:
			foreign[a.plan] = append(foreign[a.plan], a)
		case !there:
			p.shards[a.number] = a
		case before.done && a.done:
			p.problem("shard %d is there twice: %s and %s", a.number, before.folder, a.folder)
		case before.done:
			p.replaced = append(p.replaced, a)
		default:
			p.replaced = append(p.replaced, before)
			p.shards[a.number] = a
		}
	}
	for plan, of := range foreign {
		p.problem("%s is of another plan, %s, which differs in its %s", named(of), plan,
			p.info.Differs(infos[plan]))
	}
	p.missing()
}

// missing names the shards that are not there, or that were cut.
func (p *Plan) missing() {
	if p.info.Shard == nil {
		p.problem("all shards were cut before they had begun")
		return
	}
	var there, cut []int
	for _, number := range p.numbers() {
		there = append(there, number)
		if !p.shards[number].done {
			cut = append(cut, number)
		}
	}
	of := p.info.Shard.Of
	if missing := shard.Missing(there, of); len(missing) > 0 {
		p.problem("of %d shards these are missing: %s", of, shard.Ranges(missing))
	}
	for _, number := range cut[:min(len(cut), 3)] {
		p.problem("shard %d was cut: %s", number, p.shards[number].folder)
	}
	if len(cut) > 3 {
		p.problem("of %d shards these were cut: %s", of, shard.Ranges(cut))
	}
}

func named(all []attempt) string {
	text := all[0].folder
	if len(all) > 1 {
		text += fmt.Sprintf(" (and %d more)", len(all)-1)
	}
	return text
}

func (p *Plan) numbers() []int {
	var all []int
	for number := range p.shards {
		all = append(all, number)
	}
	slices.Sort(all)
	return all
}

// mostProblems is how many a report has room for.
const mostProblems = 20

func (p *Plan) problem(format string, args ...any) {
	if len(p.problems) < mostProblems {
		p.problems = append(p.problems, fmt.Sprintf(format, args...))
	}
}

func (p *Plan) errors() []error {
	var errs []error
	for _, text := range p.problems {
		errs = append(errs, errors.New(text))
	}
	return errs
}

// ID is short, and the same for all shards of the plan.
func (p *Plan) ID() string {
	if p.info.Shard == nil {
		return "unknown"
	}
	return p.info.Shard.Plan
}

// Write fills the result folder of the merged run.
func (p *Plan) Write(folder string) error {
	info := p.info
	info.Run, info.Shard, info.Problem = filepath.Base(folder), nil, ""
	info.CommandMicros, info.Resumed = 0, nil
	info.Argv = slices.DeleteFunc(slices.Clone(info.Argv),
		func(arg string) bool { return strings.HasPrefix(arg, "--shard=") })
	for _, number := range p.numbers() {
		a := p.shards[number]
		info.Machines = append(info.Machines, a.about)
		if a.about.Started.Before(info.Started) {
			info.Started = a.about.Started
		}
	}
	if planned := p.info.Shard; planned != nil {
		info.Scenarios = planned.Whole()
		slices.SortFunc(info.Scenarios,
			func(a, b trial.Scenario) int { return strings.Compare(a.ID, b.ID) })
		for _, hand := range planned.Hands() {
			if err := p.writeScenario(folder, hand); err != nil {
				return err
			}
		}
	}
	p.judgeReplaced()
	info.Problem = strings.Join(p.problems, "; ")
	return results.WriteInfo(folder, info)
}

// judgeReplaced looks at what was cut and done again: what it had found it has found.
func (p *Plan) judgeReplaced() {
	for _, a := range p.replaced {
		run, err := results.Load(a.folder)
		if err != nil {
			continue // it was cut, and counts for nothing
		}
		for _, f := range run.Findings {
			if f.Verdict == trial.Fail {
				p.problem("an attempt of shard %d that was cut and replaced had failed in %s: %s",
					a.number, f.ID, a.folder)
			}
		}
	}
}

// writeScenario puts the recordings of one scenario together, from the shards that have
// a part of it, in the order of the parts.
func (p *Plan) writeScenario(folder string, hand shard.Hand) error {
	parts := map[string][]recording{}
	var arms []string
	for _, number := range hand.Shards {
		a, there := p.shards[number]
		if !there {
			continue
		}
		names, err := results.Arms(a.folder, hand.ID)
		if err != nil {
			p.problem("shard %d is damaged: %v", number, err)
			continue
		}
		for _, arm := range names {
			if parts[arm] == nil {
				arms = append(arms, arm)
			}
			parts[arm] = append(parts[arm], recording{a, hand.Part(number), hand.ID, arm})
		}
	}
	if len(arms) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(folder, hand.ID), 0o755); err != nil {
		return fmt.Errorf("merge: %w", err)
	}
	for _, arm := range arms {
		if err := p.writeArm(folder, hand, parts[arm]); err != nil {
			return err
		}
	}
	return nil
}
