package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
	"github.com/reapcheck/reapcheck/scenarios"
)

// gateFlags are those that only gate has.
type gateFlags struct {
	image, binary, url, dialect string
	driven                      driven
	waivers                     string
	args, env                   []string
}

const gateLong = `gate runs your daemon as PID 1 of fresh sandboxes and judges what it answers to
commands whose exit codes and output are known. In the same run the reference daemon
without a fix takes turns with yours and must fail, or the verdict is inconclusive.

Arguments of the target follow --. It must listen on its dialect's port, in a
container on all addresses (0.0.0.0). A dialect describes your daemon's execute
endpoint; see: reapcheck dialect --help. A script needs an --image with its interpreter,
or --runtime=namespace, whose sandboxes have this machine's files.

If no dialect can describe it, --driver names a program that speaks to the daemon; see:
reapcheck driver --help. --exec names a command line that is started for each command:
its exit status and output are the answer. In it {script} stands for the command, and
{container}, {pid}, {root}, {url}, {host} and {port} say where the daemon is.

A failure that is known can be accepted for a while, in the file that --waivers
names:

  waivers:
  - scenario: late-publish
    reason: issue 123
    until: 2026-12-31
    outcomes: [lost]

Without outcomes, all are accepted except a wrong code and a target that ended. For
the meaning of each key, see: reapcheck report --schema waivers

Failures below --level are shown and fail nothing. So are those that the dialect
declares; see: reapcheck dialect schema.

Each flag can also be set by an environment variable (--base-image by
REAPCHECK_BASE_IMAGE), and by a key of the YAML file that --config names. The command
line wins over the environment, and the environment over the file.

Exit status: 0 pass, 1 fail, 2 inconclusive (nothing is proved, and the report says
why), 3 infrastructure (the run itself did not work), 64 usage.`

func newGate() *cobra.Command {
	o := options{blackBox: true, checkDialect: true}
	var c common
	var g gateFlags
	cmd := &cobra.Command{
		Use:   "gate (--image REF | --binary PATH | --url URL) [flags] [-- ARGUMENT...]",
		Short: "judge your own daemon: pass, fail or inconclusive, with the evidence",
		Long:  gateLong,
		Example: `  reapcheck gate --binary ./mydaemon --tier quick -- --listen 0.0.0.0:2280
  reapcheck gate --image registry.example/mydaemon:1.2 --dialect mine.yaml
  reapcheck gate --url http://127.0.0.1:2280
  reapcheck gate --binary ./mydaemon --driver 'python3 mydriver.py'
  reapcheck gate --image mine:dev --exec 'docker exec {container} /bin/sh -c {script}'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := g.resolve(cmd, args, &c, &o); err != nil {
				return usage(err)
			}
			if err := g.driven.meet(cmd.Context(), &o.candidate); err != nil {
				return o.unreported(err)
			}
			return o.run(cmd.Context())
		},
	}
	g.define(cmd)
	c.define(cmd.Flags(), &o, session.Standard, trial.Should)
	return cmd
}

func (g *gateFlags) define(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&g.image, "image", "", "judge the container image `REF`")
	f.StringVar(&g.binary, "binary", "",
		"judge the program at `PATH`; in a container it must be static, or fit the base image")
	f.StringVar(&g.url, "url", "", "judge a daemon that runs already at `URL`, by its answers only")
	f.StringArrayVar(&g.args, "arg", nil, "one `ARGUMENT` of the target; the same as after --")
	f.StringArrayVar(&g.env, "env", nil,
		"`NAME=VALUE` for the target, or NAME to pass on your own; can be given many times")
	f.StringVar(&g.dialect, "dialect", dialect.DefaultDialect,
		"how the target is spoken to: a `NAME`, or a file that ends in .yaml")
	g.driven.define(f)
	f.StringVar(&g.waivers, "waivers", "",
		"YAML `FILE` of known failures: scenario, reason, and until when the failure is accepted")
}

// resolve reads what is to be judged, and how, from the command line, the environment and
// the files that they name.
func (g *gateFlags) resolve(cmd *cobra.Command, args []string, c *common, o *options) error {
	err := g.arguments(cmd, args)
	if err == nil {
		err = c.resolve(cmd, o)
	}
	if err == nil {
		o.candidate, err = g.target()
	}
	if err == nil {
		err = g.choose(o, *c)
	}
	if err == nil {
		err = g.driven.check(cmd)
	}
	o.detects = !cmd.Flags().Changed("dialect") && o.candidate.Dialect.OverHTTP()
	if err == nil {
		o.waivers, err = results.ReadWaivers(g.waivers, scenarios.Known)
	}
	return err
}

// arguments makes what follows -- the same as --arg.
func (g *gateFlags) arguments(cmd *cobra.Command, args []string) error {
	if n := cmd.ArgsLenAtDash(); len(args) > 0 && n != 0 {
		return fmt.Errorf("unexpected argument %q: name your daemon by --binary; "+
			"its own arguments follow --", args[0])
	}
	for _, arg := range args {
		if err := cmd.Flags().Set("arg", arg); err != nil {
			return err
		}
	}
	return nil
}

func (g *gateFlags) target() (target.Target, error) {
	env, err := environment(g.env)
	if err != nil {
		return target.Target{}, err
	}
	dialect, err := dialect.Load(g.dialect)
	if err == nil {
		dialect, err = dialect.Resolve(os.LookupEnv)
	}
	if err != nil {
		return target.Target{}, err
	}
	t := target.Target{
		Image: g.image, Binary: g.binary, URL: strings.TrimSuffix(g.url, "/"),
		Args: g.args, Env: env, Dialect: dialect,
	}
	if err := g.driven.split(&t); err != nil {
		return t, err
	}
	return t, errors.Join(t.Check(), executable(t.Binary))
}

func executable(path string) error {
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("find binary: %w", err)
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return fmt.Errorf("find binary: %s is not an executable file; for a script: chmod +x", path)
	}
	return nil
}

// choose picks the scenarios that fit the target.
func (g *gateFlags) choose(o *options, c common) (err error) {
	access := scenarios.Foreign
	if o.candidate.URL != "" {
		access = scenarios.Answers
	}
	return c.choose(o, access)
}
