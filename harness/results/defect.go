package results

import (
	"maps"
	"slices"

	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Weight is what a defect does to the verdict.
type Weight string

const (
	// Fails: it makes the scenario fail.
	Fails Weight = "fails"
	// Forgiven: it would, and a waiver accepts that.
	Forgiven Weight = "forgiven"
	// Shown: its level is beyond the run's.
	Shown Weight = "shown"
	// Declared: the target's dialect declares it.
	Declared Weight = "declared"
)

// Weights are all that there are, the heaviest first.
var Weights = []Weight{Fails, Forgiven, Shown, Declared}

// Defect is one way in which a candidate misbehaves, and why.
type Defect struct {
	Scenario, Arm string
	Symptom       trial.Symptom
	Cause         Cause
	Level         trial.Level
	Weight        Weight
	// Trials are those that went wrong so, Of how many of the arm's commands of that kind.
	Trials, Of int
	// Record is the trial that shows it best; nil where a check does.
	Record *trial.Record
	Check  *trial.Check
	// Logged says that the target's log was kept of that trial. Complaint is what stands in it
	// of something that has gone wrong in the target itself; empty for nothing.
	Logged    bool
	Complaint string
	// weak is evidence that another cause of the run explains better.
	weak bool
	// told is the exit code that all its trials were told, a wrong one; nil where there is none.
	told *int
	// cut is where its first output ends too early; -1 where none does.
	cut int
}

// Cause is why daemons go wrong, in a way that can show in many scenarios.
type Cause struct {
	ID string
	// Level is how much it weighs; empty means as much as its scenario.
	Level trial.Level
	// Title says what is wrong with the daemon, in a sentence.
	Title string
	// Look says where in the daemon to look for it.
	Look string
	// Choice is the word by which a dialect declares it; empty where no one can choose it.
	Choice string
	// under is a stronger cause: where that one was shown in the same run, this one tells
	// nothing of its own.
	under string

	explains func(e evidence.Evidence) bool
}

// CauseOf is what the evidence points to. Something always is: in the end the symptom.
func CauseOf(e evidence.Evidence) Cause {
	for _, c := range causes {
		if c.explains(e) {
			return c
		}
	}
	return unknownCause
}

// Choices are all words that a dialect can declare.
func Choices() []string {
	var words []string
	seen := map[string]bool{"": true}
	for _, c := range causes {
		if !seen[c.Choice] {
			seen[c.Choice] = true
			words = append(words, c.Choice)
		}
	}
	return words
}

// weigh is a cause's level in a scenario, and what it does to the verdict there.
func (i Info) weigh(s trial.Scenario, cause Cause) (trial.Level, Weight) {
	level := cause.Level
	if level == "" {
		level = s.Level
	}
	switch {
	case cause.Choice != "" && slices.Contains(i.Declares, cause.Choice):
		return level, Declared
	case !level.Within(i.Level):
		return level, Shown
	}
	return level, Fails
}

// weigh finds the arm's defects, and what remains to be judged without those that do not
// fail it.
func (a *Arm) weigh(info Info, s trial.Scenario) {
	if a.Plan.Role != trial.Candidate || a.Plan.Claim != trial.Clean || a.End.Void != "" ||
		a.End.FaultNote != "" {
		return
	}
	a.Defects = a.defects(info, s)
	if !slices.ContainsFunc(a.Defects, func(d Defect) bool { return d.Weight != Fails }) {
		return
	}
	counted := a.Summary
	counted.Counts, counted.Checks = maps.Clone(a.Counts), slices.Clone(a.Checks)
	for _, d := range a.Defects {
		if d.Weight != Fails {
			counted.Excuse(d.Symptom, d.Trials)
		}
	}
	a.counted = &counted
}

// JudgeArms is trial.Judge for the arms of one scenario, without what fails nothing in
// this run.
func (i Info) JudgeArms(scenario string, arms []trial.Summary) (trial.Verdict, string) {
	about := trial.Scenario{ID: scenario}
	for _, s := range i.Scenarios {
		if s.ID == scenario {
			about = s
		}
	}
	weighed := make([]Arm, len(arms))
	for n, summary := range arms {
		weighed[n].Summary = summary
	}
	i.weighAll(weighed, about)
	counted := make([]trial.Summary, len(arms))
	for n := range weighed {
		counted[n] = *weighed[n].judged()
	}
	return trial.Judge(counted)
}

// weighAll weighs the arms of one scenario: what goes wrong under a fault, beside what does
// without one.
func (i Info) weighAll(arms []Arm, s trial.Scenario) {
	var plain []trial.Way
	for n := range arms {
		plain = append(plain, plainWays(&arms[n].Summary)...)
	}
	for n := range arms {
		arms[n].plain = plain
		arms[n].weigh(i, s)
	}
}

// plainWays are the ways in which most commands of a kind went wrong without a fault: a race
// that is not forced is lost by few.
func plainWays(s *trial.Summary) []trial.Way {
	if s.Plan.Role != trial.Candidate || s.Plan.Fault != "" {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(s.Ways),
		func(w trial.Way) bool { return 2*w.Trials < s.Kinds[w.Kind] })
}

// Judge is what the arm comes to without what is shown only, or declared.
func (a *Arm) Judge() (trial.Verdict, string) { return a.judged().Judge() }

// judged is what the arm is judged by.
func (a *Arm) judged() *trial.Summary {
	if a.counted != nil {
		return a.counted
	}
	return &a.Summary
}

func (a *Arm) defects(info Info, s trial.Scenario) []Defect {
	base := evidence.Of(&a.Summary)
	base.Plain = a.plain
	var all []Defect
	add := func(e evidence.Evidence, d Defect) {
		d.Scenario, d.Arm, d.Symptom, d.Cause = s.ID, a.Plan.Arm, e.Symptom, CauseOf(e)
		d.Level, d.Weight = info.weigh(s, d.Cause)
		all = append(all, d)
	}
	for _, way := range a.Ways {
		record, log := a.best(way)
		e := base.OfWay(way)
		d := Defect{Trials: way.Trials, Of: a.Kinds[way.Kind], Record: &record, Logged: len(log) > 0,
			Complaint: complaint(log), cut: e.CutAt()}
		if way.OneCode && way.Outcome == trial.Wrong {
			d.told = way.First.Got
		}
		add(e, d)
	}
	for _, c := range a.FailedChecks() {
		add(base.OfCheck(c), Defect{Check: &c, cut: -1})
	}
	return all
}

// best is the trial of which the target's log was kept, with that, or else the first.
func (a *Arm) best(way trial.Way) (record trial.Record, log []byte) {
	for _, r := range a.Bad {
		for _, f := range a.Artefacts {
			if way.Has(r) && f.Trial == r.Index && len(f.Log) > 0 {
				return r, f.Log
			}
		}
	}
	return way.First, nil
}
