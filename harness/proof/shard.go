package proof

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/shard"
)

// Shard says which cases of a list are in a file, which is written anew after each.
type Shard struct {
	// Number and Of are 1 where the list is not split.
	Number int `json:"number"`
	Of     int `json:"of"`
	// Plan is the same in all shards of one plan, and in no other.
	Plan string `json:"plan"`
	// Cases are those of the whole plan; every Of-th is this shard's.
	Cases []string `json:"cases"`
	// Done is set when the shard has come to its end.
	Done bool `json:"done"`
}

// NewShard is the shard at a place, of a plan that the settings and the cases make up.
func NewShard(at shard.Place, cases []string, settings ...any) Shard {
	if at.Whole() {
		at = shard.Place{Number: 1, Of: 1}
	}
	raw, err := json.Marshal(append(settings, cases, at.Of))
	if err != nil {
		panic(err) // it is plain data
	}
	sum := sha256.Sum256(raw)
	return Shard{Number: at.Number, Of: at.Of, Plan: hex.EncodeToString(sum[:6]), Cases: cases}
}

// Has says whether a case of this name is the shard's.
func (s Shard) Has(name string) bool {
	at := slices.Index(s.Cases, name)
	return at >= 0 && shard.Place{Number: s.Number, Of: s.Of}.Has(at)
}

// note says of a shard that it is not all; empty for all.
func (s Shard) note() string {
	if s.Of <= 1 {
		return ""
	}
	return fmt.Sprintf("shard %d of %d of plan %s: what all come to says `reapcheck merge`",
		s.Number, s.Of, s.Plan)
}

// part is a shard's file: which one it is, and the cases in it.
type part struct {
	Shard
	path  string
	cases []string
}

// choose gives the index of one file for each shard, in their order, and what is wrong
// with them as a whole. A file that was cut counts only where no other is there.
func choose(all []part) (chosen []int, problems []string) {
	by := map[int]int{}
	for i, p := range all {
		before, there := by[p.Number]
		switch {
		case p.Plan != all[0].Plan:
			problems = append(problems, fmt.Sprintf("%s is of another plan, %s", p.path, p.Plan))
		case (shard.Place{Number: p.Number, Of: p.Of}).Check() != nil || p.Of != all[0].Of:
			problems = append(problems,
				fmt.Sprintf("%s is damaged: it is shard %d of %d", p.path, p.Number, p.Of))
		case !there || !all[before].Done:
			by[p.Number] = i
		case p.Done:
			problems = append(problems,
				fmt.Sprintf("shard %d is there twice: %s and %s", p.Number, all[before].path,
					p.path))
		}
	}
	var there []int
	for number := 1; number <= all[0].Of && number <= shard.Most; number++ {
		i, ok := by[number]
		if !ok {
			continue
		}
		there, chosen = append(there, number), append(chosen, i)
		problems = append(problems, all[i].wrong()...)
	}
	if missing := shard.Missing(there, min(all[0].Of, shard.Most)); len(missing) > 0 {
		problems = append(problems,
			fmt.Sprintf("of %d shards these are missing: %s", all[0].Of, shard.Ranges(missing)))
	}
	return chosen, problems
}

// wrong names the cases that are not there, or that are another shard's.
func (p part) wrong() (problems []string) {
	if !p.Done {
		problems = append(problems, fmt.Sprintf("shard %d was cut: %s", p.Number, p.path))
	}
	seen := map[string]bool{}
	for _, name := range p.cases {
		if seen[name] || !p.Has(name) {
			problems = append(problems,
				fmt.Sprintf("%s is damaged: %s is not its, or there twice", p.path, name))
		}
		seen[name] = true
	}
	for _, name := range p.Cases {
		if p.Done && p.Has(name) && !seen[name] {
			problems = append(problems, fmt.Sprintf("%s is damaged: %s is missing", p.path, name))
		}
	}
	return problems
}

// MergeKills makes one table of those of all shards. The daemons without a defect, which
// each shard has judged for itself, count once for each strategy, and pass where all did.
func MergeKills(paths []string) (Kills, []string) {
	files, parts, chosen, problems := readAll(paths, func(k Kills) (Shard, []string) {
		var names []string
		for _, kill := range k.Kills {
			if kill.Slug != "" {
				names = append(names, kill.Slug)
			}
		}
		return k.Shard, names
	})
	if len(chosen) == 0 {
		return Kills{}, problems
	}
	merged := Kills{Version: files[0].Version, Seed: files[0].Seed, Runtime: files[0].Runtime,
		Shard: NewShard(shard.Place{}, parts[0].Cases)}
	for _, i := range chosen {
		for _, kill := range files[i].Kills {
			merged.take(kill)
		}
	}
	slices.SortStableFunc(merged.Kills,
		func(a, b Kill) int { return strings.Compare(a.Slug, b.Slug) })
	merged.Shard.Done = len(problems) == 0
	merged.Count()
	return merged, problems
}

// take adds a kill, or joins it to that of the same daemon without a defect.
func (r *Kills) take(kill Kill) {
	at := slices.IndexFunc(r.Kills, func(k Kill) bool {
		return kill.Slug == "" && k.Slug == "" && k.Strategy == kill.Strategy
	})
	if at < 0 {
		r.Kills = append(r.Kills, kill)
		return
	}
	k := &r.Kills[at]
	for _, id := range kill.Named {
		if !slices.Contains(k.Named, id) {
			k.Named = append(k.Named, id)
		}
	}
	k.KilledBy = append(k.KilledBy, kill.KilledBy...)
	k.Passed = k.Passed && kill.Passed
	k.TookMs += kill.TookMs
	if k.Reason == "" {
		k.Reason = kill.Reason
	}
	if k.Problem == "" {
		k.Problem = kill.Problem
	}
}

// MergeAlarms makes one table of those of all shards.
func MergeAlarms(paths []string) (Alarms, []string) {
	files, parts, chosen, problems := readAll(paths, func(a Alarms) (Shard, []string) {
		var names []string
		for _, run := range a.Runs {
			names = append(names, run.Name)
		}
		return a.Shard, names
	})
	if len(chosen) == 0 {
		return Alarms{}, problems
	}
	merged := Alarms{Version: files[0].Version, Seed: files[0].Seed, Tier: files[0].Tier,
		Shard: NewShard(shard.Place{}, parts[0].Cases)}
	for _, name := range parts[0].Cases {
		for _, i := range chosen {
			at := slices.IndexFunc(files[i].Runs, func(r AlarmRun) bool { return r.Name == name })
			if at >= 0 && parts[i].Has(name) {
				merged.Runs = append(merged.Runs, files[i].Runs[at])
			}
		}
	}
	merged.Shard.Done = len(problems) == 0
	return merged, problems
}

// readAll reads the files that are of a shard, names those that are not, and chooses one
// for each shard.
func readAll[T any](paths []string, about func(T) (Shard, []string)) (
	files []T, parts []part, chosen []int, problems []string) {
	for _, path := range paths {
		var file T
		raw, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(raw, &file)
		}
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s is damaged: %v", path, err))
			continue
		}
		of, cases := about(file)
		if of.Of == 0 {
			problems = append(problems, path+" does not say which shard it is")
			continue
		}
		files, parts = append(files, file), append(parts, part{of, path, cases})
	}
	if len(parts) == 0 {
		return nil, nil, nil, problems
	}
	chosen, more := choose(parts)
	return files, parts, chosen, append(problems, more...)
}

// Write puts a table in its place, whole. It is written after each case, so that what is
// killed leaves what it had.
func Write(path string, table any) error {
	raw, err := json.MarshalIndent(table, "", "  ")
	if err != nil {
		return err
	}
	return results.Replace(path, append(raw, '\n'))
}
