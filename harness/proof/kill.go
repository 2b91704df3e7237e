package proof

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Kill is what came of one mutant, or of the daemon without a defect.
type Kill struct {
	// Slug is the mutant's; empty for a daemon without a defect, which must pass.
	Slug     string `json:"slug,omitempty"`
	Strategy string `json:"strategy"`
	// Named are the scenarios that were to decide.
	Named []string `json:"named"`
	// As is the symptom by which one of them was to fail, and Shown that it did.
	As    trial.Symptom `json:"as,omitempty"`
	Shown bool          `json:"shown,omitempty"`
	// KilledBy are the scenarios that failed.
	KilledBy []string `json:"killedBy"`
	// Trials is how many of the candidate's had ended when the first bad one
	// had; 0 where it was caught by a look at the sandbox.
	Trials int `json:"trials,omitempty"`
	// AfterMs is the time from the sandbox being ready to that trial's answer.
	AfterMs float64 `json:"afterMs,omitempty"`
	// TookMs is how long the scenarios took, and Runtime where they did.
	TookMs  float64 `json:"tookMs"`
	Runtime string  `json:"runtime,omitempty"`
	// Reason is the judge's.
	Reason string `json:"reason,omitempty"`
	// Problem is what kept the judge from its work: a build that failed, an
	// engine that is not there.
	Problem string `json:"problem,omitempty"`
	// Passed is of a daemon without a defect, by all of its scenarios.
	Passed bool `json:"passed,omitempty"`
}

// Add takes in the findings of one run, which took so long.
func (r *Kill) Add(run results.Run, took time.Duration) {
	r.TookMs += ms(took)
	r.Passed = run.Verdict == trial.Pass
	r.Problem, r.Runtime = run.Info.Problem, run.Info.Runtime
	for _, f := range run.Findings {
		if f.Verdict == trial.Fail {
			r.KilledBy = append(r.KilledBy, f.ID)
		}
		if f.Verdict != trial.Pass && (r.Reason == "" || f.Verdict == trial.Fail && r.Trials == 0) {
			r.Reason = f.Reason
		}
		if f.Verdict == trial.Fail && r.Trials == 0 {
			r.firstBad(f.Arms)
		}
		if f.Verdict == trial.Fail && slices.Contains(r.Named, f.ID) {
			r.Shown = r.Shown || slices.ContainsFunc(f.Arms, func(a results.Arm) bool {
				return a.Plan.Role == trial.Candidate && a.Shows(r.As)
			})
		}
	}
}

func (r *Kill) firstBad(arms []results.Arm) {
	for _, a := range arms {
		if a.Plan.Role == trial.Candidate && a.UntilBad > 0 {
			r.Trials = a.UntilBad
			r.AfterMs = float64(a.Bad[0].AtMicros+a.Bad[0].Micros) / 1000
			return
		}
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Killed says whether a scenario that was named has failed as it was to.
func (r Kill) Killed() bool { return r.Shown }

// Judged says whether there is a result at all. A kill is one, whatever came
// after it.
func (r Kill) Judged() bool { return r.Problem == "" || r.Killed() }

// OK says whether a mutant was killed as it should be, and whether a daemon
// without one passed.
func (r Kill) OK() bool {
	if r.Slug == "" {
		return r.Passed
	}
	return r.Killed()
}

// verdict is OK in words.
func (r Kill) verdict() string {
	switch {
	case r.Slug == "" && r.Passed:
		return "passed"
	case !r.Judged():
		return "NOT JUDGED"
	case r.Slug == "" && len(r.KilledBy) > 0:
		return "ACCUSED by " + strings.Join(r.KilledBy, ", ")
	case r.Slug == "":
		return "NOT PASSED"
	case r.Killed():
		return "killed by " + strings.Join(r.KilledBy, ", ")
	case slices.ContainsFunc(r.Named,
		func(id string) bool { return slices.Contains(r.KilledBy, id) }):
		return fmt.Sprintf("KILLED NOT AS %q by %s", r.As, strings.Join(r.KilledBy, ", "))
	case len(r.KilledBy) > 0:
		return "KILLED ONLY by " + printable.Some(0, r.KilledBy)
	}
	return "SURVIVED"
}

// String is the result in a line.
func (r Kill) String() string {
	line := fmt.Sprintf("%s: %s", r.name(), r.verdict())
	if r.Trials > 0 {
		line += fmt.Sprintf(" after %d trials", r.Trials)
	}
	line += fmt.Sprintf(" in %.1fs", r.TookMs/1000)
	if why := cmp.Or(r.Problem, r.Reason); !r.OK() && why != "" {
		line += ": " + why
	}
	return line
}

func (r Kill) name() string {
	if r.Slug == "" {
		return "unpatched " + r.Strategy
	}
	return r.Slug
}

// Kills is mutants.json.
type Kills struct {
	Version string `json:"version"`
	Seed    uint64 `json:"seed"`
	// Runtime is what was asked for, and where the results are from once there are some.
	Runtime string `json:"runtime"`
	Shard   Shard  `json:"shard"`
	Killed  int    `json:"killed"`
	Mutants int    `json:"mutants"`
	// NotJudged are the mutants and other daemons of which nothing is known.
	NotJudged int `json:"notJudged"`
	// NotPassed are the daemons without a defect that were judged and have not passed.
	NotPassed int `json:"notPassed"`
	// MedianMs and SlowestMs are of the time that a kill took.
	MedianMs  float64 `json:"medianMs"`
	SlowestMs float64 `json:"slowestMs"`
	Kills     []Kill  `json:"kills"`
}

// Verdict is pass where every mutant was killed and every daemon without a defect passed, and
// there were some; fail where one was not; inconclusive where all that is missing
// was not judged.
func (r Kills) Verdict() trial.Verdict {
	verdict := trial.Inconclusive
	if r.Mutants > 0 {
		verdict = trial.Pass
	}
	for _, result := range r.Kills {
		switch {
		case result.OK():
		case result.Judged():
			return trial.Fail
		default:
			verdict = trial.Inconclusive
		}
	}
	return verdict
}

// Of is what came of a mutant, or of the daemon without one, where it was judged.
func (r Kills) Of(slug, strategy string) (Kill, bool) {
	at := slices.IndexFunc(r.Kills, func(k Kill) bool {
		return k.Slug == slug && k.Strategy == strategy && k.Judged()
	})
	if at < 0 {
		return Kill{}, false
	}
	return r.Kills[at], true
}

// Count fills in the totals.
func (r *Kills) Count() {
	var took []float64
	for _, result := range r.Kills {
		r.Runtime = cmp.Or(result.Runtime, r.Runtime)
		if !result.Judged() {
			r.NotJudged++
		}
		if result.Slug == "" {
			if result.Judged() && !result.OK() {
				r.NotPassed++
			}
			continue
		}
		r.Mutants++
		if result.Killed() {
			r.Killed++
			took = append(took, result.TookMs)
		}
	}
	if slices.Sort(took); len(took) > 0 {
		r.MedianMs, r.SlowestMs = took[len(took)/2], took[len(took)-1]
	}
}

// Table writes the report for people; its last line is the figure.
func (r Kills) Table(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "defect\tstrategy\tnamed\tresult\ttrials\tafter\ttook")
	for _, m := range r.Kills {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%.1fs\n", m.name(), m.Strategy, m.named(),
			m.verdict(), m.trials(), m.after(), m.TookMs/1000)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, m := range r.Kills {
		if !m.OK() {
			fmt.Fprintln(w, m)
		}
	}
	figure := fmt.Sprintf("killed %d of %d mutants", r.Killed, r.Mutants)
	if r.NotJudged > 0 {
		figure += fmt.Sprintf(", %d not judged", r.NotJudged)
	}
	if r.NotPassed > 0 {
		figure += fmt.Sprintf(", %d without a defect did not pass", r.NotPassed)
	}
	if note := r.Shard.note(); note != "" {
		figure = note + "\n" + figure
	}
	_, err := fmt.Fprintf(w,
		"\n%s, seed %d, a kill took %.1fs at the median and %.1fs at most\n%s\n",
		r.Runtime, r.Seed, r.MedianMs/1000, r.SlowestMs/1000, figure)
	return err
}

// named is short for a daemon without a defect, which is judged by all that its mutants are.
func (r Kill) named() string {
	if len(r.Named) > 2 {
		return fmt.Sprintf("%d scenarios", len(r.Named))
	}
	return strings.Join(r.Named, ", ")
}

func (r Kill) trials() string {
	if r.Trials == 0 {
		return "-"
	}
	return strconv.Itoa(r.Trials)
}

func (r Kill) after() string {
	if r.Trials == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2fs", r.AfterMs/1000)
}
