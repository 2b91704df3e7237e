package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/bench"
)

func TestUsageOfBench(t *testing.T) {
	for want, args := range map[string][]string{
		"cannot be looked into": {"--url=http://127.0.0.1:1"},
		"a driver's own price":  {"--binary=/bin/sh", "--driver=/bin/sh"},
		"--strategy is for":     {"--binary=/bin/sh", "--strategy=none"},
		"not an executable":     {"--binary=/etc/passwd"},
		"--gate \"later\"":      {"--gate=later"},
		"arrivals must be":      {"--arrivals=0"},
		"unknown part":          {"--part=speed"},
	} {
		root := newRoot()
		root.SetArgs(append([]string{"bench"}, args...))
		root.SetOut(&bytes.Buffer{})
		root.SetErr(&bytes.Buffer{})
		err := root.Execute()
		var e exit
		if !errors.As(err, &e) || e.status != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want a usage error with %q", args, err, want)
		}
	}
}

// Someone's own daemon takes turns with the reference, and is asked for fewer sleeps.
func TestABenchOfSomebodysDaemon(t *testing.T) {
	var o options
	scale := bench.Scale{Sleeps: []int{6000}}
	g := gateFlags{binary: "/bin/sh", dialect: "process-execute"}
	if err := g.benched(newBench(), &o, &scale); err != nil {
		t.Fatal(err)
	}
	if len(scale.Strategies) != 2 || scale.Strategies[0] != bench.Candidate ||
		scale.Sleeps[0] != 100 ||
		o.candidate.Binary != "/bin/sh" {
		t.Errorf("%+v, %v", scale, o.candidate)
	}
}
