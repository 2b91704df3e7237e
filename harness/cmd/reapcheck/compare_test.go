package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/reapcheck/reapcheck/harness/compare"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func TestShares(t *testing.T) {
	for text, want := range map[string]float64{"5%": 0.05, "0.05": 0.05, "12.5 %": 0.125, "0": 0} {
		if got, err := parseShare(text); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "five", "-1%", "NaN", "5%%"} {
		if got, err := parseShare(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestSidesOfAComparison(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for text, want := range map[string]string{
		"registry":        "reference daemon, strategy registry",
		"image:my/one:2":  "image my/one:2",
		program:           "binary " + program,
		folder:            "",
		"image:" + folder: "image " + folder,
	} {
		s := side{text: text, speaks: "process-execute"}
		if err := s.resolve(nil); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if isFolder := text == folder; isFolder != (s.folder != "") || !isFolder &&
			s.String() != want {
			t.Errorf("%s: %q, folder %q, want %q", text, s, s.folder, want)
		}
	}
	s := side{text: "no-such-thing", speaks: "process-execute"}
	if err := s.resolve(nil); err == nil ||
		!strings.Contains(err.Error(), "strategy, image:REF") {
		t.Errorf("%v", err)
	}
}

// A side's own variables reach the gate, and a secret is not shown.
func TestASideKeepsItsVariables(t *testing.T) {
	s := side{text: "registry", env: []string{"MY_TOKEN=x", "SPEED=1"}}
	if err := s.resolve(nil); err != nil {
		t.Fatal(err)
	}
	args := s.gateArgs("quick", "/daemon", options{})
	if s.target.Env["SPEED"] != "1" || !slices.Contains(args, "--env=SPEED=1") ||
		!slices.Contains(args, "--env=DECK_STRATEGY=registry") {
		t.Errorf("%v, %q", s.target.Env, args)
	}
	if text := s.String(); strings.Contains(text, "=x") || !strings.Contains(text, "SPEED=1") {
		t.Errorf("%q", text)
	}
}

// The line that repeats a comparison names the same sides, and gives the targets the same
// arguments.
func TestTheLineOfAComparisonRepeatsIt(t *testing.T) {
	resolved := func(args []string) (c compareFlags, o options) {
		cmd := &cobra.Command{Use: "compare"}
		c.define(cmd, &o)
		if err := cmd.ParseFlags(args); err != nil {
			t.Fatal(err)
		}
		if err := c.resolve(cmd, &o, cmd.Flags().Args()); err != nil {
			t.Fatalf("%q: %v", args, err)
		}
		return c, o
	}
	first, o := resolved([]string{"--env-b=SPEED=1", "registry", "none", "--", "--listen", "there"})
	again, o2 := resolved(o.argv[2:])
	if again.a.text != "registry" || again.b.text != "none" || o2.seed != o.seed ||
		!slices.Equal(again.args, first.args) || !slices.Equal(again.envB, first.envB) {
		t.Errorf("%q gives %+v, not %+v", o.argv, again, first)
	}
}

func TestUsageOfCompare(t *testing.T) {
	folder := t.TempDir()
	for want, args := range map[string][]string{
		"takes two sides":          {"registry"},
		"--tolerate":               {"registry", "none", "--tolerate=much"},
		"--gate":                   {"registry", "none", "--gate=soon"},
		"two of a kind":            {"registry", folder},
		"at least 15":              {"registry", "none", "--rounds=14"},
		"must be positive":         {"registry", "none", "--in-flight=0"},
		"neither run.json nor":     {folder, folder},
		"no such environment vari": {"registry", "none", "--env-b=REAPCHECK_NOT_THERE"},
	} {
		root := newRoot()
		root.SetArgs(append([]string{"compare"}, args...))
		root.SetOut(&bytes.Buffer{})
		root.SetErr(&bytes.Buffer{})
		err := root.Execute()
		var e exit
		if !errors.As(err, &e) || e.status != exitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want a usage error with %q", args, err, want)
		}
	}
}

// Two old folders leave a report of their own, and B's new failure is the exit status.
func TestOldFoldersAreCompared(t *testing.T) {
	const pass, fail = "../../results/testdata/pass", "../../results/testdata/fail"
	for _, c := range []struct {
		a, b   string
		status int
	}{{pass, pass, exitPass}, {fail, fail, exitPass}} {
		out, parent := &bytes.Buffer{}, t.TempDir()
		root := newRoot()
		root.SetArgs([]string{"compare", c.a, c.b, "--results=" + parent})
		root.SetOut(out)
		if got := exitStatus("compare", root.Execute()); got != c.status {
			t.Errorf("%s and %s: exit status %d, want %d\n%s", c.a, c.b, got, c.status, out)
		}
		found, err := filepath.Glob(filepath.Join(parent, "*-compare", "compare.*"))
		if err != nil || len(found) != 3 || !strings.Contains(out.String(), "verdict: pass") {
			t.Errorf("%q, %v\n%s", found, err, out)
		}
	}
}

// A gate's verdicts are counted for a bench.
func TestAGateInABench(t *testing.T) {
	finding := func(id string, v trial.Verdict) results.Finding {
		return results.Finding{Scenario: trial.Scenario{ID: id}, Verdict: v, Reason: "why"}
	}
	g := gateOf("locked", results.Run{Verdict: trial.Fail, Findings: []results.Finding{
		finding("a", trial.Pass), finding("b", trial.Fail), finding("c", trial.Inconclusive),
	}})
	if g.Passed != 1 || len(g.Failed) != 1 || g.Failed[0].ID != "b" || len(g.Unproved) != 1 {
		t.Errorf("%+v", g)
	}
}

// What is printed is what is written.
func TestTheComparisonIsWritten(t *testing.T) {
	out, folder := &bytes.Buffer{}, t.TempDir()
	r := compare.NewReport()
	r.DiedB = "exit status 2"
	o := options{out: out, progress: &bytes.Buffer{}, results: folder}
	err := o.concludeCompare(folder, r, nil)
	raw, readErr := os.ReadFile(filepath.Join(folder, "compare.json"))
	var back struct{ Verdict string }
	if readErr != nil || json.Unmarshal(raw, &back) != nil || back.Verdict != "fail" ||
		exitStatus("compare", err) != exitFail || !strings.Contains(out.String(), "exit status 2") {
		t.Errorf("%v, %v, %s\n%s", err, readErr, raw, out)
	}
}
