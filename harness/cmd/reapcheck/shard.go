package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/shard"
	"github.com/reapcheck/reapcheck/harness/trial"
	"github.com/reapcheck/reapcheck/scenarios"
)

const shardUsage = "run only part `K/N` of the plan, for merge; " +
	"auto/N takes K from the CI engine, and auto takes both"

func addShardFlag(f *pflag.FlagSet, text *string) { f.StringVar(text, "shard", "", shardUsage) }

// resolveShard reads --shard. Shards are parts of one plan only where none of them
// measures or draws anything of its own.
func (c *common) resolveShard(f *pflag.FlagSet, o *options) (err error) {
	if err = o.takeShard(f, c.shard); err != nil || o.shard.Whole() {
		return err
	}
	if o.scale.Factor == 0 && o.scale.Tier == session.Soak {
		return errors.New(
			"--shard of a soak needs --factor: " +
				"how many times the trials of a standard run all shards have")
	}
	o.scale.Factor = cmp.Or(o.scale.Factor, 1)
	return f.Set("shard", o.shard.String()) // for the line that repeats it elsewhere
}

// takeShard reads which shard this is, of whatever plan.
func (o *options) takeShard(f *pflag.FlagSet, text string) (err error) {
	if o.shard, err = shard.Parse(text, os.LookupEnv); err != nil || o.shard.Whole() {
		return err
	}
	if !f.Changed("seed") {
		return errors.New("--shard needs --seed: all shards must have the same one")
	}
	return nil
}

// newFolder is a new result folder, whose name says which shard it is of.
func (o options) newFolder(name string) (string, error) {
	if !o.shard.Whole() {
		name += fmt.Sprintf("-shard-%d-of-%d", o.shard.Number, o.shard.Of)
	}
	folder, err := results.NewFolder(o.results, name, time.Now())
	if err != nil {
		return "", fmt.Errorf("%w; choose another --results", err)
	}
	return folder, nil
}

// targetSum is the hash of the candidate's file; empty where it is not one.
func (o options) targetSum() (string, error) {
	path := o.candidate.Binary
	if path == "" {
		return "", nil
	}
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read target: %w", err)
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", fmt.Errorf("read target: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// place gives the run its folder, with run.json in it.
func (o options) place(id string, info *results.Info) (folder string, err error) {
	if o.resume != "" {
		folder, err = o.resume, o.takeUp(info)
	} else {
		folder, err = o.newFolder(id)
		// What uploads a folder may follow links, and a shard must not be there twice.
		if err == nil && o.shard.Whole() {
			err = results.PointLatest(folder)
		}
		info.Run = filepath.Base(folder)
	}
	if err != nil {
		return "", err
	}
	return folder, results.WriteInfo(folder, *info)
}

// deal gives this shard its scenarios.
func (o options) deal(s *session.Session, info *results.Info) {
	if info.Shard == nil {
		return
	}
	info.Shard.Scenarios = scenarios.Planned(s, o.scenarios)
	info.Shard.Plan = info.PlanID()
	s.Parts, info.Scenarios = map[string]shard.Place{}, nil
	for i, hand := range info.Shard.Hands() {
		if part := hand.Part(o.shard.Number); !part.Whole() {
			s.Parts[hand.ID] = part
			info.Scenarios = append(info.Scenarios, info.Shard.Scenarios[i].Scenario)
		}
	}
}

// doneBefore is the folder of a shard of this plan that has come to its end: where
// engines start a shard again because it failed, the second attempt must not hide what
// the first has found. It is empty where there is none.
func (o options) doneBefore(info results.Info) string {
	if info.Shard == nil || o.resume != "" {
		return ""
	}
	folders, err := filepath.Glob(filepath.Join(o.results, "*", ""))
	if err != nil {
		return ""
	}
	for _, folder := range folders {
		if about, err := os.Lstat(folder); err != nil || !about.IsDir() || !results.IsRun(folder) {
			continue
		}
		other, err := results.ReadInfo(folder)
		if err == nil && other.Shard != nil && other.Shard.Done && samePart(info, other) {
			return folder
		}
	}
	return ""
}

// samePart says whether two runs are the same shard of the same plan.
func samePart(a, b results.Info) bool {
	if (a.Shard == nil) != (b.Shard == nil) {
		return false
	}
	if a.Shard != nil && a.Shard.Place() != b.Shard.Place() {
		return false
	}
	planned := b.Scenarios
	if b.Shard != nil && len(b.Shard.Scenarios) > 0 { // they have been dealt out
		planned = b.Shard.Whole()
	}
	a.Shard, b.Shard = nil, nil
	return a.Differs(b) == "" && sameScenarios(a.Scenarios, planned)
}

func sameScenarios(a, b []trial.Scenario) bool {
	byID := func(x, y trial.Scenario) int { return strings.Compare(x.ID, y.ID) }
	return slices.Equal(slices.SortedFunc(slices.Values(a), byID),
		slices.SortedFunc(slices.Values(b), byID))
}

// again shows a run that there is.
func (o options) again(folder string) error {
	run, err := results.Load(folder)
	if err != nil {
		return o.unreported(err)
	}
	return o.show(run, nil)
}
