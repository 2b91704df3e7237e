package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/reapcheck/reapcheck/harness/machine"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
	"github.com/reapcheck/reapcheck/scenarios"
)

// common are flags that repro and gate share.
type common struct {
	tier, waitPath string
	shard          string
	level          string
	only, skip     []string
}

// define adds them; tier and level are the defaults.
func (c *common) define(f *pflag.FlagSet, o *options, tier session.Tier, level trial.Level) {
	addRunFlags(f, o)
	f.StringSliceVar(&c.only, "only", nil,
		"run only these scenarios, by `ID`; see reapcheck list (default all that fit the target)")
	f.StringSliceVar(&c.skip, "skip", nil, "leave these scenarios out, by `ID`")
	f.StringVar(&c.tier, "tier", string(tier),
		"how long it may take: quick (a minute), standard (three minutes) or soak")
	f.StringVar(&c.level, "level", string(level),
		"the lightest failures that fail: must (no correct daemon may do so), "+
			"should (a careful one does not), or advice (a choice that has a price)")
	f.DurationVar(&o.scale.Duration, "duration", 30*time.Minute, "about how long a soak lasts")
	f.Float64Var(&o.scale.Factor, "factor", 0,
		"share of a fast machine's trials (default: what fits into the tier's time)")
	f.StringVar(&c.waitPath, "wait-path", string(session.Pidfd),
		"how the daemon waits for its children: pidfd, or fallback, which takes pidfd_open away")
	addShardFlag(f, &c.shard)
	f.StringVar(&o.resume, "resume", "",
		"complete the cut run in `FOLDER`, with the same flags; scenarios that it has decided stay")
	f.String("config", "", "YAML `FILE` with settings: a key is a flag without its dashes")
}

// choose picks the scenarios to run.
func (c *common) choose(o *options, access scenarios.Access) error {
	chosen, err := scenarios.Select(c.only, access)
	if err != nil {
		return err
	}
	if o.scenarios, err = scenarios.Without(slices.Clone(chosen), c.skip); err == nil &&
		len(o.scenarios) == 0 {
		err = errors.New("--only and --skip leave no scenario to run")
	}
	o.leftOut = c.leftOut(access, chosen, o.scenarios)
	return err
}

// leftOut are the scenarios that are not run, and why.
func (c *common) leftOut(access scenarios.Access, chosen, run []trial.Scenario) []results.LeftOut {
	var out []results.LeftOut
	for _, s := range scenarios.List() {
		switch {
		case slices.Contains(run, s):
		case slices.Contains(chosen, s):
			out = append(out, results.LeftOut{ID: s.ID, Why: "named by --skip"})
		case len(c.only) > 0:
			out = append(out, results.LeftOut{ID: s.ID, Why: "not named by --only"})
		default:
			out = append(out, results.LeftOut{ID: s.ID, Why: scenarios.LeftOut(s.ID, access)})
		}
	}
	return out
}

// addRunFlags adds what every command takes that runs sandboxes.
func addRunFlags(f *pflag.FlagSet, o *options) {
	f.StringVar(&o.runtime, "runtime", "auto",
		"where the target runs: "+machine.Names()+", the first of these that works")
	f.Uint64Var(&o.seed, "seed", 0, "seed of all commands (default: a new one)")
	f.StringVar(&o.results, "results", "results", "`FOLDER` where result folders are made")
	f.StringVar(&o.daemons, "daemons", "",
		"`FOLDER` with the reference daemon's builds (default: beside this command, or compiled)")
	f.StringVar(&o.cgroupParent, "cgroup-parent", os.Getenv(variable("cgroup-parent")),
		"make containers in the control `GROUP`, such as this command's own")
	f.StringVar(&o.baseImage, "base-image", "",
		"base image `REF` of the containers; --runtime=auto then means docker "+
			"(default: debian:bookworm-slim, or one made from this machine)")
}

func newSeed() uint64 { return shortSeed(rand.Uint64()) }

// shortSeed has 53 bits, so that every JSON reader takes it as it is.
func shortSeed(random uint64) uint64 { return random >> 11 }

// resolve takes what the command line leaves open from environment and file, and
// checks it.
func (c *common) resolve(cmd *cobra.Command, o *options) (err error) {
	if err := restore(cmd); err != nil {
		return err
	}
	if err := resolve(cmd, os.LookupEnv); err != nil {
		return err
	}
	if o.waitPath, err = session.ParseWaitPath(c.waitPath); err != nil {
		return err
	}
	if o.scale.Tier, err = session.ParseTier(c.tier); err != nil {
		return err
	}
	if o.level, err = trial.ParseLevel(c.level); err != nil {
		return err
	}
	if o.scale.Factor < 0 || o.scale.Factor > 1 && o.scale.Tier != session.Soak {
		return fmt.Errorf(
			"--factor %g is invalid: choose more than 0 and at most 1, or 0 to have it measured; "+
				"only a soak takes more",
			o.scale.Factor)
	}
	if o.scale.Duration <= 0 {
		return fmt.Errorf("--duration %v is invalid: a soak must last longer than 0",
			o.scale.Duration)
	}
	if err := c.resolveShard(cmd.Flags(), o); err != nil {
		return err
	}
	if !cmd.Flags().Changed("seed") {
		o.seed = newSeed()
	}
	o.argv, o.settings = repeatLine(cmd, o.seed), settings(cmd)
	o.out, o.progress = cmd.OutOrStdout(), cmd.ErrOrStderr()
	return nil
}

// repeatLine is the command line that does the same from the same folder: with
// the seed, and without what files and variables have said. A secret is not in
// it: --env NAME takes one from the environment. What the command is given beside its flags
// comes first, since all that follows -- is the target's.
func repeatLine(cmd *cobra.Command, seed uint64, operands ...string) []string {
	argv := append([]string{os.Args[0], cmd.Name()}, operands...)
	var after []string
	always := []string{"tier", "runtime"}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		switch {
		case f.Name == "seed":
			argv = append(argv, "--seed="+strconv.FormatUint(seed, 10))
		case f.Name == "arg":
			after = maskAll(f.Name, valuesOf(f))
		case f.Name == "config" || !f.Changed && !slices.Contains(always, f.Name):
		default:
			for _, value := range maskAll(f.Name, valuesOf(f)) {
				argv = append(argv, fmt.Sprintf("--%s=%s", f.Name, value))
			}
		}
	})
	if len(after) > 0 {
		argv = append(append(argv, "--"), after...)
	}
	return argv
}

// environment reads NAME=VALUE, and NAME alone, which takes the value from this
// process's own environment.
func environment(assignments []string) (map[string]string, error) {
	env := map[string]string{}
	for _, a := range assignments {
		name, value, assigned := strings.Cut(a, "=")
		if name == "" {
			return nil, fmt.Errorf("--env %q has no name: write NAME=VALUE, "+
				"or NAME to take the value from the environment", a)
		}
		if !assigned {
			found, ok := os.LookupEnv(name)
			if !ok {
				return nil, fmt.Errorf(
					"--env %s: there is no such environment variable to take the value from", name)
			}
			value = found
		}
		env[name] = value
	}
	return env, nil
}
