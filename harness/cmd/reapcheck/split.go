package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/reapcheck/reapcheck/harness/proof"
)

// addSplitFlags adds what mutants and alarms have of shards: each is a list of cases, and
// a case is in one shard.
func addSplitFlags(f *pflag.FlagSet, split, resume *string) {
	addShardFlag(f, split)
	f.StringVar(resume, "resume", "", "complete what was cut in `FOLDER`: what it has judged stays")
}

// resolveSplit reads --shard, or its variable.
func (o *options) resolveSplit(f *pflag.FlagSet, text string) error {
	if !f.Changed("shard") {
		text = os.Getenv(variable("shard"))
	}
	return o.takeShard(f, text)
}

// splitFolder is a new folder, or the one that is taken up again.
func (o options) splitFolder(name string) (string, error) {
	if o.resume != "" {
		return o.resume, nil
	}
	return o.newFolder(name)
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

// doneTable reads the table of this very shard if an attempt before has come to its end:
// see doneBefore.
func doneTable[T any](o options, name string, of proof.Shard, in func(*T) proof.Shard) (*T, bool) {
	if o.shard.Whole() || o.resume != "" {
		return nil, false
	}
	paths, err := filepath.Glob(filepath.Join(o.results, "*", name))
	if err != nil {
		return nil, false
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		table := new(T)
		if err != nil || json.Unmarshal(raw, table) != nil {
			continue
		}
		if read := in(table); read.Done && read.Plan == of.Plan && read.Number == of.Number &&
			read.Of == of.Of {
			fmt.Fprintf(o.progress, "shard %v of this plan is done already: %s\n", o.shard, path)
			return table, true
		}
	}
	return nil, false
}
