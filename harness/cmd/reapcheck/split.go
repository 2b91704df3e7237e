package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/reapcheck/reapcheck/harness/proof"
)

// splitFlags are what mutants and alarms have of shards: each is a list of cases, and a case
// is in one shard.
type splitFlags struct{ shard, resume string }

func (s *splitFlags) define(f *pflag.FlagSet) {
	addShardFlag(f, &s.shard)
	f.StringVar(&s.resume, "resume", "",
		"complete what was cut in `FOLDER`: what it has judged stays")
}

// resolve reads --shard, or its variable, and what else both commands take.
func (s *splitFlags) resolve(cmd *cobra.Command, o *options) error {
	f := cmd.Flags()
	if !f.Changed("shard") {
		s.shard = os.Getenv(variable("shard"))
	}
	if err := o.takeShard(f, s.shard); err != nil {
		return err
	}
	if !f.Changed("seed") {
		o.seed = newSeed()
	}
	o.resume = s.resume
	o.out, o.progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
	return nil
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
