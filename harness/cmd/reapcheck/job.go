package main

import (
	_ "embed" // for the manifest
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/shard"
)

//go:embed job.yaml.tmpl
var jobText string

// jobTemplate writes each value as JSON, which YAML reads as it stands.
var jobTemplate = template.Must(template.New("job").Funcs(template.FuncMap{
	"value": func(v any) (string, error) {
		raw, err := json.Marshal(v)
		return string(raw), err
	},
}).Parse(jobText))

// job is a plan as a cluster runs it.
type job struct {
	Kubernetes bool
	Name       string
	Image      string
	Shards     int
	Retries    int
	Claim      string
	Seed       string
	Args       []string
	// What exit statuses mean, see main.go.
	Fail, Usage int
}

func newJob() *cobra.Command {
	j := job{Fail: exitFail, Usage: exitUsage}
	var seed uint64
	cmd := &cobra.Command{
		Use:   "job --kubernetes [flags] -- COMMAND...",
		Short: "print a manifest that runs the shards of a plan in a cluster",
		Long: `job prints the manifest of a Kubernetes Indexed Job. Each pod runs one shard of the
command that follows --, and leaves its results in the volume of --claim, for merge.

A shard that failed is not tried again, and one that was evicted is. docs/kubernetes.md
says how to run it, and what a cluster must allow.`,
		Example: `  reapcheck job --kubernetes --image reapcheck:v1 --shards 16 --claim results -- \
    gate --binary /work/target/daemon --tier soak --factor 100 | kubectl apply -f -`,
		RunE: func(cmd *cobra.Command, args []string) error {
			j.Args, j.Seed = args, strconv.FormatUint(seed, 10)
			if !cmd.Flags().Changed("seed") {
				j.Seed = strconv.FormatUint(newSeed(), 10)
			}
			if err := j.check(); err != nil {
				return usage(err)
			}
			return written(jobTemplate.Execute(cmd.OutOrStdout(), j))
		},
	}
	f := cmd.Flags()
	f.BoolVar(&j.Kubernetes, "kubernetes", false, "print a Kubernetes Indexed Job")
	f.StringVar(&j.Name, "name", "reapcheck", "`NAME` of the job")
	f.StringVar(&j.Image, "image", "", "image `REF` with the harness in it; see make image")
	f.IntVar(&j.Shards, "shards", 0, "how many shards to run, each in a pod of its own")
	f.IntVar(&j.Retries, "retries", 3,
		"how often to try a shard again that did not come to its end")
	f.StringVar(&j.Claim, "claim", "",
		"`NAME` of the volume claim for results, which all pods can write (ReadWriteMany)")
	f.Uint64Var(&seed, "seed", 0, "seed of all commands (default: a new one)")
	return cmd
}

// dnsLabel is a name as Kubernetes takes it (RFC 1123).
var dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

func (j job) check() error {
	sharded := []string{"repro", "gate", "mutants", "alarms"}
	switch {
	case !j.Kubernetes:
		return errors.New("say for what: --kubernetes")
	case j.Image == "":
		return errors.New("--image is missing: the image that make image has built")
	case j.Shards < 1 || j.Shards > shard.Most:
		return fmt.Errorf("--shards %d is invalid: choose 1 to %d", j.Shards, shard.Most)
	case j.Retries < 0:
		return fmt.Errorf("--retries %d is invalid: choose 0 or more", j.Retries)
	case !dnsLabel.MatchString(j.Name):
		return fmt.Errorf("--name %q is invalid: choose small letters, digits and dashes", j.Name)
	case j.Claim == "":
		return errors.New("--claim is missing: without a volume the results are lost with the pods")
	case len(j.Args) == 0 || !slices.Contains(sharded, j.Args[0]):
		return errors.New("what follows -- must be repro, gate, mutants or alarms, and its flags")
	}
	return nil
}
