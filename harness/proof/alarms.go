package proof

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// AlarmRun is what one run came to.
type AlarmRun struct {
	// Variant is the way in which the daemon was run.
	Variant string `json:"variant"`
	// Name is the run's number among all of the plan, from 1.
	Name    string `json:"name"`
	Seed    uint64 `json:"seed"`
	Runtime string `json:"runtime"`
	Verdict string `json:"verdict"`
	// Alarms are the scenarios that did not pass, with their reasons.
	Alarms []string `json:"alarms,omitempty"`
	// Problem is what kept the run from its work.
	Problem string `json:"problem,omitempty"`
	// Folder keeps the results of a run that did not pass.
	Folder string  `json:"folder,omitempty"`
	TookMs float64 `json:"tookMs"`
}

// Alarms is alarms.json.
type Alarms struct {
	Version string     `json:"version"`
	Seed    uint64     `json:"seed"`
	Tier    string     `json:"tier"`
	Shard   Shard      `json:"shard"`
	Runs    []AlarmRun `json:"runs"`
}

// Take takes in what a run found.
func (r *AlarmRun) Take(run results.Run) {
	r.Verdict, r.Problem, r.Runtime = run.Verdict.String(), run.Info.Problem, run.Info.Runtime
	for _, f := range run.Findings {
		if f.Verdict != trial.Pass {
			r.Alarms = append(r.Alarms, fmt.Sprintf("%s: %v: %s", f.ID, f.Verdict, f.Reason))
		}
	}
}

// String is the run in a line.
func (r AlarmRun) String() string {
	text := fmt.Sprintf("%s: %s in %.1fs", r.Variant, r.Verdict, r.TookMs/1000)
	for _, alarm := range r.Alarms {
		text += "; " + alarm
	}
	if r.Problem != "" {
		text += "; problem: " + r.Problem
	}
	return text
}

// count is how many runs of a variant came to a verdict; an empty variant or verdict is
// any.
func (a Alarms) count(variant, verdict string) (n int) {
	for _, r := range a.Runs {
		if (variant == "" || r.Variant == variant) && (verdict == "" || r.Verdict == verdict) {
			n++
		}
	}
	return n
}

// variants are those that were run, in the order in which they were.
func (a Alarms) variants() []string {
	var names []string
	for _, r := range a.Runs {
		if !slices.Contains(names, r.Variant) {
			names = append(names, r.Variant)
		}
	}
	return names
}

// Table writes the report for people; its last line is the figure.
func (a Alarms) Table(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "variant\truns\tpass\tfail\tinconclusive")
	for _, variant := range a.variants() {
		fmt.Fprintf(table, "%s\t%d", variant, a.count(variant, ""))
		for _, v := range []trial.Verdict{trial.Pass, trial.Fail, trial.Inconclusive} {
			fmt.Fprintf(table, "\t%d", a.count(variant, v.String()))
		}
		fmt.Fprintln(table)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	runs, bad := len(a.Runs), len(a.Runs)-a.count("", trial.Pass.String())
	if note := a.Shard.note(); note != "" {
		fmt.Fprintln(w, "\n"+note)
	}
	_, err := fmt.Fprintf(w, "\ntier %s, seed %d\nfalse alarms: %d in %d runs, upper95 %.3g%%\n",
		a.Tier, a.Seed, bad, runs, 100*trial.Upper95(bad, runs))
	return err
}

// Of is the run of that name, where it did its work.
func (a Alarms) Of(name string) (AlarmRun, bool) {
	at := slices.IndexFunc(a.Runs,
		func(r AlarmRun) bool { return r.Name == name && r.Problem == "" })
	if at < 0 {
		return AlarmRun{}, false
	}
	return a.Runs[at], true
}

// Verdict is the worst that a run came to.
func (a Alarms) Verdict() trial.Verdict {
	switch {
	case a.count("", trial.Fail.String()) > 0:
		return trial.Fail
	case len(a.Runs) == 0 || a.count("", trial.Pass.String()) < len(a.Runs):
		return trial.Inconclusive
	}
	return trial.Pass
}

// Problem is the first that kept a run from its work; empty where none did.
func (a Alarms) Problem() string {
	for _, r := range a.Runs {
		if r.Problem != "" {
			return r.Problem
		}
	}
	return ""
}
