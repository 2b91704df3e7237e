package results

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/shard"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Shard says which part of a plan a run is. A shard never passes: it says nothing of
// what the others have.
type Shard struct {
	Number int `json:"number"`
	Of     int `json:"of"`
	// Plan is the same in all shards of one plan, and in no other.
	Plan string `json:"plan"`
	// Scenarios are those of the whole plan, in the order in which they were dealt out.
	Scenarios []PlannedScenario `json:"scenarios"`
	// Done is set when the shard has come to its end. Until then it can be replaced.
	Done bool `json:"done,omitempty"`
}

// PlannedScenario is one of a plan that is split.
type PlannedScenario struct {
	Scenario trial.Scenario `json:"scenario"`
	// Parts is into how many it can be divided; 1 where it goes whole to one shard.
	Parts int `json:"parts"`
}

// Whole are the scenarios of the whole plan.
func (s Shard) Whole() []trial.Scenario {
	all := make([]trial.Scenario, len(s.Scenarios))
	for i, planned := range s.Scenarios {
		all[i] = planned.Scenario
	}
	return all
}

// Place is the shard's.
func (s Shard) Place() shard.Place { return shard.Place{Number: s.Number, Of: s.Of} }

// Hands say which shards have which scenario.
func (s Shard) Hands() []shard.Hand {
	items := make([]shard.Item, len(s.Scenarios))
	for i, planned := range s.Scenarios {
		items[i] = shard.Item{ID: planned.Scenario.ID, Parts: planned.Parts}
	}
	return shard.Deal(items, s.Of)
}

// Machine is where one shard of a merged run was.
type Machine struct {
	Shard   int    `json:"shard"`
	Run     string `json:"run"` // the shard's own name
	Kernel  string `json:"kernel"`
	CPUs    int    `json:"cpus"`
	Runtime string `json:"runtime"`
	// Engine is what the runtime says of itself.
	Engine        string    `json:"engine,omitempty"`
	CommandMicros int64     `json:"commandUs,omitempty"`
	Started       time.Time `json:"started"`
}

// planOf is what all shards of one plan have in common.
type planOf struct {
	What  string
	Value any
}

func (i Info) plan() []planOf {
	all := []planOf{
		{"seed", i.Seed}, {"tier", i.Tier}, {"factor", i.Factor}, {"version", i.Version},
		{"runtime", i.Runtime}, {"target", i.Target}, {"file of the target", i.TargetSHA256},
		{"scenarios left out", i.LeftOut}, {"waivers", i.Waivers},
		{"level", i.Level}, {"declared choices", i.Declares},
	}
	if i.Shard != nil {
		all = append(all, planOf{"number of shards", i.Shard.Of},
			planOf{"scenarios", i.Shard.Scenarios})
	}
	return all
}

// PlanID names the plan of a shard.
func (i Info) PlanID() string {
	raw, err := json.Marshal(i.plan())
	if err != nil {
		panic(err) // it is plain data
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:6])
}

// Differs says in what the plans of two shards differ; empty where they do not.
func (i Info) Differs(from Info) string {
	mine, others := i.plan(), from.plan()
	for n := range mine {
		a, errA := json.Marshal(mine[n])
		b, errB := json.Marshal(others[n])
		if errA != nil || errB != nil || string(a) != string(b) {
			return mine[n].What
		}
	}
	return ""
}

// Notes are sentences for whoever reads a report: what was left out, and where a run
// was that is a shard, or was merged of some.
func (i Info) Notes() []string {
	notes := append(i.LeftOutNotes(), i.DeclaredNotes()...)
	if s := i.Shard; s != nil {
		notes = append(notes, fmt.Sprintf(
			"shard %d of %d of plan %s: only `reapcheck merge` of all of them can pass",
			s.Number, s.Of, printable.Line(s.Plan)))
	}
	return append(notes, machineNotes(i.Machines)...)
}

// machineNotes says what each machine was, in a line for all that were the same.
func machineNotes(machines []Machine) []string {
	var kinds []string
	shards := map[string][]int{}
	for _, m := range machines {
		kind := fmt.Sprintf("%s, %s, runtime %s", m.Kernel, printable.Plural(m.CPUs, "CPU"),
			strings.Join(nonEmpty(m.Runtime, m.Engine), ", "))
		if shards[kind] == nil {
			kinds = append(kinds, kind)
		}
		shards[kind] = append(shards[kind], m.Shard)
	}
	const most = 20
	var notes []string
	for n, kind := range kinds {
		if n == most {
			return append(notes, fmt.Sprintf("and %d other kinds of machines, see run.json",
				len(kinds)-n))
		}
		slices.Sort(shards[kind])
		word := "shards"
		if len(shards[kind]) == 1 {
			word = "shard"
		}
		notes = append(notes, printable.Line(
			fmt.Sprintf("%s %s: %s", word, shard.Ranges(shards[kind]), kind)))
	}
	return notes
}

func nonEmpty(words ...string) []string {
	return slices.DeleteFunc(words, func(w string) bool { return w == "" })
}

// ReadInfo reads run.json alone.
func ReadInfo(folder string) (Info, error) {
	var info Info
	err := loadInfo(filepath.Join(folder, infoFile), &info)
	return info, err
}

// IsRun says whether a folder has a run.json.
func IsRun(folder string) bool {
	file, err := OpenFile(filepath.Join(folder, infoFile))
	if err != nil {
		return false
	}
	return file.Close() == nil
}

// Arms names the recordings of a scenario; none where it was not reached.
func Arms(folder, scenario string) ([]string, error) {
	f, names, err := findFolder(folder, trial.Scenario{ID: scenario})
	if err != nil || f.Reason != "" {
		return nil, err
	}
	var arms []string
	for _, name := range names {
		if arm, ok := strings.CutSuffix(name, recordingExt); ok {
			arms = append(arms, arm)
		}
	}
	return arms, nil
}

// Artefacts are the files that were kept of an arm's trials, with the paths within the
// result folder, in the order of the trials.
func Artefacts(folder, scenario, arm string) ([]Artefact, error) {
	_, names, err := findFolder(folder, trial.Scenario{ID: scenario})
	return artefacts(scenario, arm, names), err
}
