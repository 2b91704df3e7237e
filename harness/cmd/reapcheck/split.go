package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/reapcheck/reapcheck/harness/proof"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/shard"
)

// addSplitFlags adds what mutants and alarms have of shards: each is a list of cases, and
// a case is in one shard.
func addSplitFlags(f *pflag.FlagSet, split, resume *string) {
	addShardFlag(f, split)
	f.StringVar(resume, "resume", "", "complete what was cut in `FOLDER`: what it has judged stays")
}

// resolveSplit reads --shard, or its variable.
func (o *options) resolveSplit(f *pflag.FlagSet, text string) (err error) {
	if !f.Changed("shard") {
		text = os.Getenv(variable("shard"))
	}
	if o.shard, err = shard.Parse(text, os.LookupEnv); err != nil || o.shard.Whole() {
		return err
	}
	if !f.Changed("seed") {
		return errors.New("--shard needs --seed: all shards must have the same one")
	}
	return nil
}

// splitFolder is a new folder, or the one that is taken up again.
func (o options) splitFolder(name string) (string, error) {
	if o.resume != "" {
		return o.resume, nil
	}
	if !o.shard.Whole() {
		name += fmt.Sprintf("-shard-%d-of-%d", o.shard.Number, o.shard.Of)
	}
	return results.NewFolder(o.results, name, time.Now())
}

// before reads what a cut run has left, if one is resumed. It must be of the same plan.
func (o options) before(path, plan string, table any, of *proof.Shard) error {
	if o.resume == "" {
		return nil
	}
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was cut before the first case
	}
	if err == nil {
		err = json.Unmarshal(raw, table)
	}
	if err == nil && of.Plan != plan {
		err = errors.New("it is of another plan: give the flags that it had, --seed among them")
	}
	if err != nil {
		return fmt.Errorf("resume %s: %w", o.resume, err)
	}
	return nil
}
