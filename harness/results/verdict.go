package results

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/trial"
	"github.com/reapcheck/reapcheck/harness/userfile"
)

// judge says what the run came to. Extra is a folder with recordings that run.json
// does not name; empty where there is none.
func (r *Run) judge(extra string) {
	for i := range r.Findings {
		f := &r.Findings[i]
		r.Info.weighAll(f.Arms, f.Scenario)
		f.judge(r.Info.Run)
		f.waive(r.Info.Waivers, r.Info.Started)
	}
	r.Verdict, r.Causes = overall(r.Findings), Causes(r.Findings)
	if extra != "" && r.Info.Problem == "" {
		r.Info.Problem = fmt.Sprintf(
			"the folder has recordings of %s, which run.json does not name", extra)
	}
	if r.Info.Problem != "" && r.Verdict == trial.Pass {
		r.Verdict = trial.Inconclusive
	}
	if r.Own = r.Verdict; r.Info.Shard == nil {
		return
	}
	if len(r.Findings) == 0 && r.Info.Problem == "" {
		r.Own = trial.Pass // there were fewer parts than shards
	}
	if r.Verdict == trial.Pass {
		r.Verdict = trial.Inconclusive
	}
}

// judge leaves a scenario that was not reached as it is, inconclusive.
func (f *Finding) judge(run string) {
	if f.Reason != "" {
		return
	}
	var summaries []trial.Summary
	for _, a := range f.Arms {
		summaries = append(summaries, *a.judged())
	}
	f.Verdict, f.Reason = trial.Judge(summaries)
	if why := f.mixture(run); why != "" && f.Verdict != trial.Fail {
		f.Verdict, f.Reason = trial.Inconclusive, why
	}
}

// mixture says why the recordings are not those of this scenario in this run,
// all of them and no others: a folder may have been copied in parts. It is empty
// where they are. A recording without a plan is damaged, and judged as that.
func (f *Finding) mixture(run string) string {
	have := map[string]bool{}
	for _, a := range f.Arms {
		have[strings.TrimSuffix(path.Base(a.Recording), recordingExt)] = true
	}
	for _, a := range f.Arms {
		stem := strings.TrimSuffix(path.Base(a.Recording), recordingExt)
		switch {
		case a.Damage != "":
		case a.Plan.Run != run:
			return fmt.Sprintf("%s was recorded in another run, %q", a.Recording, a.Plan.Run)
		case a.Plan.Scenario != f.ID || a.Plan.Arm != stem || !slices.Contains(a.Plan.Arms, stem):
			return fmt.Sprintf("%s is the recording of %s/%s", a.Recording, a.Plan.Scenario,
				a.Plan.Arm)
		}
		for _, name := range a.Plan.Arms {
			if !have[name] {
				return fmt.Sprintf("the recording of %s is missing", name)
			}
		}
	}
	return ""
}

// overall is the verdict of all scenarios but those whose failure is accepted:
// of these alone, nothing is proved.
func overall(findings []Finding) trial.Verdict {
	var verdicts []trial.Verdict
	for _, f := range findings {
		if f.Waived != Accepted {
			verdicts = append(verdicts, f.Verdict)
		}
	}
	return trial.Overall(verdicts)
}

// AllAccepted says whether no scenario is left to be judged.
func (r Run) AllAccepted() bool {
	for _, f := range r.Findings {
		if f.Waived != Accepted {
			return false
		}
	}
	return len(r.Findings) > 0
}

// Waiver is a finding that is known and accepted for a while.
type Waiver struct {
	Scenario string `json:"scenario" yaml:"scenario"`
	Reason   string `json:"reason" yaml:"reason"`
	// Until is the last day on which it counts, as YYYY-MM-DD in UTC.
	Until string `json:"until" yaml:"until"`
	// Outcomes are the ways of failing that it accepts; see usualWays for none.
	Outcomes []string `json:"outcomes,omitempty" yaml:"outcomes"`
}

// Waived is what a waiver does for its scenario.
type Waived string

const (
	// NotWaived: there is no waiver, or nothing was proved.
	NotWaived Waived = ""
	// Accepted: the scenario fails, and the run does not fail for it.
	Accepted Waived = "accepted"
	// Expired: the scenario fails, and the waiver's last day is over.
	Expired Waived = "expired"
	// Exceeded: the scenario fails in a way that the waiver does not accept.
	Exceeded Waived = "exceeded"
	// Unneeded: the scenario no longer fails.
	Unneeded Waived = "unneeded"
)

// waive looks for the scenario's waiver. The day that counts is the one on which
// the run began, so that an old run is judged as it was.
func (f *Finding) waive(waivers []Waiver, began time.Time) {
	for i, w := range waivers {
		if w.Scenario != f.ID {
			continue
		}
		f.Waiver = &waivers[i]
		switch {
		case f.Verdict == trial.Pass:
			f.Waived = Unneeded
		case f.Verdict != trial.Fail:
		case began.UTC().Format(time.DateOnly) > w.Until:
			f.Waived = Expired
		case len(w.Beyond(f.Ways())) > 0:
			f.Waived = Exceeded
		default:
			f.Waived = Accepted
		}
	}
}

// otherCheck is a way of failing beside the outcomes and evidence.Target: any other promise
// about the sandbox.
const otherCheck = "check"

// usualWays are what a waiver accepts that names none. A wrong code is worse than
// any that is lost, and a daemon that ends is another defect.
var usualWays = []string{string(trial.Lost), string(trial.Output), string(trial.Error),
	string(trial.Hung), otherCheck}

// Ways are how the scenario's candidates fail, each one once.
func (f Finding) Ways() []string {
	var ways []string
	for _, a := range f.Arms {
		if v, _ := a.Judge(); v != trial.Fail {
			continue
		}
		for outcome, n := range a.judged().Counts {
			if n > 0 && outcome != trial.OK {
				ways = append(ways, string(outcome))
			}
		}
		for _, c := range a.judged().FailedChecks() {
			if c.Name == evidence.Target {
				ways = append(ways, evidence.Target)
			} else {
				ways = append(ways, otherCheck)
			}
		}
	}
	slices.Sort(ways)
	return slices.Compact(ways)
}

// Beyond are the ways in which the scenario fails and which the waiver does not
// accept.
func (w Waiver) Beyond(ways []string) []string {
	accepted := w.Outcomes
	if len(accepted) == 0 {
		accepted = usualWays
	}
	return slices.DeleteFunc(slices.Clone(ways),
		func(way string) bool { return slices.Contains(accepted, way) })
}

var waiversSchema = sync.OnceValue(func() *userfile.Schema {
	text, err := Schema("waivers")
	if err != nil {
		panic(err) // it is part of the program
	}
	return userfile.MustSchema(text)
})

// ReadWaivers reads the file of known failures; none for no file. Known says what is
// wrong with a scenario's ID. Each thing that is wrong with the file is an error that
// names file and line.
func ReadWaivers(path string, known func(id string) error) ([]Waiver, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read waivers: %w", err)
	}
	doc, err := userfile.Read(path, text)
	if err != nil {
		return nil, err
	}
	if err := doc.Check(waiversSchema()); err != nil {
		return nil, err
	}
	var file struct {
		Waivers []Waiver `yaml:"waivers"`
	}
	if err := doc.Decode(&file); err != nil {
		return nil, err
	}
	return file.Waivers, checkWaivers(doc, file.Waivers, known)
}

// checkWaivers finds what no schema can: a waiver for nothing would be found out
// on its last day only.
func checkWaivers(doc *userfile.File, waivers []Waiver, known func(id string) error) error {
	seen := map[string]bool{}
	for i, w := range waivers {
		at := func(key string) []string { return []string{"waivers", strconv.Itoa(i), key} }
		if err := known(w.Scenario); err != nil {
			return doc.Errorf(at("scenario"), "%w", err)
		}
		if seen[w.Scenario] {
			return doc.Errorf(at("scenario"), "a second waiver for %s", w.Scenario)
		}
		seen[w.Scenario] = true
		if _, err := time.Parse(time.DateOnly, w.Until); err != nil {
			return doc.Errorf(at("until"), "%s is not a day of the calendar", w.Until)
		}
	}
	return nil
}
