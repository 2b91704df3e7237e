package results

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

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
	// Logged says that the target's log was kept of that trial.
	Logged bool
	// weak is evidence that another cause of the run explains better.
	weak bool
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

	explains func(e Evidence) bool
}

// CauseOf is what the evidence points to. Something always is: in the end the symptom.
func CauseOf(e Evidence) Cause {
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
	counted := make([]trial.Summary, len(arms))
	for n, summary := range arms {
		a := Arm{Summary: summary}
		a.weigh(i, about)
		counted[n] = *a.judged()
	}
	return trial.Judge(counted)
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
	base := Evidence{Fault: a.Plan.Fault, Kinds: a.Kinds, Ways: a.Ways}
	for _, c := range a.FailedChecks() {
		base.Ended = base.Ended || c.Name == targetCheck && c.Want == runs
		base.Left = base.Left || c.Name == leftProcesses
		base.Zombies = base.Zombies || c.Name == zombies
	}
	var all []Defect
	add := func(e Evidence, d Defect) {
		d.Scenario, d.Arm, d.Symptom, d.Cause = s.ID, a.Plan.Arm, e.Symptom, CauseOf(e)
		d.Level, d.Weight = info.weigh(s, d.Cause)
		all = append(all, d)
	}
	for _, way := range a.Ways {
		e := base
		e.Symptom, e.Way = trial.Symptom(way.Outcome), way
		record, logged := a.best(way)
		add(e, Defect{Trials: way.Trials, Of: a.Kinds[way.Kind], Record: &record, Logged: logged})
	}
	for _, c := range a.FailedChecks() {
		e := base
		e.Symptom, e.Check = trial.FailedCheck(c.Name), c
		add(e, Defect{Check: &c})
	}
	return all
}

// best is the trial of which the target's log was kept, or else the first.
func (a *Arm) best(way trial.Way) (record trial.Record, logged bool) {
	for _, r := range a.Bad {
		if way.Has(r) && slices.ContainsFunc(a.Artefacts,
			func(f Artefact) bool { return f.Trial == r.Index && len(f.Log) > 0 }) {
			return r, true
		}
	}
	return way.First, false
}

// Evidence is what a recording tells of one way in which an arm went wrong.
type Evidence struct {
	Symptom trial.Symptom
	// Fault is the name of what was injected; empty for nothing.
	Fault string
	// Kinds counts all trials of the arm by the kind of their command.
	Kinds map[string]int
	// Ways are all ways in which trials of the arm went wrong.
	Ways []trial.Way
	// Left says that processes are left in the sandbox, and Zombies that zombies are.
	Left, Zombies bool
	// Ended says that PID 1 was to run on in this arm, and did not.
	Ended bool
	// Way is how the trials went wrong; the zero Way is a check's.
	Way trial.Way
	// Check is what does not hold; the zero Check is a trial's.
	Check trial.Check
}

// is says whether trials came to one of these outcomes.
func (e Evidence) is(outcomes ...trial.Outcome) bool {
	return e.Way.Trials > 0 && slices.Contains(outcomes, e.Way.Outcome)
}

// of says whether the trials' commands are of one of these kinds. A word that ends in a
// hyphen stands for all kinds that begin so.
func (e Evidence) of(kinds ...string) bool {
	return fits(e.Way.Kind, kinds)
}

// ran says whether the arm had a command of one of these kinds.
func (e Evidence) ran(kinds ...string) bool {
	_, n := e.count("", kinds...)
	return n > 0
}

func fits(kind string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		return kind == p || strings.HasSuffix(p, "-") && strings.HasPrefix(kind, p)
	})
}

// went says whether commands of one of these kinds came to that outcome in the arm.
func (e Evidence) went(o trial.Outcome, kinds ...string) bool {
	n, _ := e.count(o, kinds...)
	return n > 0
}

// count says how many commands of these kinds came to that outcome in the arm, and how
// many ran.
func (e Evidence) count(o trial.Outcome, kinds ...string) (went, ran int) {
	for kind, n := range e.Kinds {
		if fits(kind, kinds) {
			ran += n
		}
	}
	for _, w := range e.Ways {
		if w.Outcome == o && fits(w.Kind, kinds) {
			went += w.Trials
		}
	}
	return went, ran
}

// left says whether a check finds processes, or what such processes hold.
func (e Evidence) left() bool { return e.check(leftProcesses) || e.Left && e.check(held...) }

// Checks that more than one cause is known by.
const (
	leftProcesses = "processes besides the target"
	zombies       = "zombies"
)

var held = []string{"the target's open files", "the target's threads",
	"the target's memory in bytes", "highest of the target's open files"}

// all says whether every command of this kind went wrong so.
func (e Evidence) all() bool { return e.Way.Trials == e.Kinds[e.Way.Kind] }

// check says whether one of these checks does not hold.
func (e Evidence) check(names ...string) bool { return slices.Contains(names, e.Check.Name) }

// under says whether the fault's name has one of these words.
func (e Evidence) under(words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(e.Fault, w) })
}

// says looks for words in what is told of the first such trial.
func (e Evidence) says(words ...string) bool {
	return slices.ContainsFunc(words,
		func(w string) bool { return strings.Contains(e.Way.First.Detail, w) })
}

// reaperFirst says whether the fault lets the reaper come before the waiter, or before
// the child is registered, or published late.
func (e Evidence) reaperFirst() bool {
	return e.under("reaper-wins", "until reaped", "returns after", "frozen for", "before-")
}

// sameCode says whether so many commands of different codes were told one code that it
// is no command's.
func (e Evidence) sameCode() bool {
	return e.Way.OneCode && e.Way.Trials >= enough
}

// mismatch is how the judge tells of an output that is not what was written.
var mismatch = regexp.MustCompile(
	`^output differs at byte (\d+): (\d+) bytes wanted .* got (\d+) bytes `)

// cutAt is where the output ends too early; 0 where something else is wrong with it. A
// character that is cut in two may have become another.
func (e Evidence) cutAt() int {
	found := mismatch.FindStringSubmatch(e.Way.First.Detail)
	if found == nil {
		return 0
	}
	var at, want, got int
	for i, n := range []*int{&at, &want, &got} {
		var err error
		if *n, err = strconv.Atoi(found[i+1]); err != nil {
			return 0
		}
	}
	const character = 8 // two that stand for what could not be read, and more
	if got-at > character || at > got || got >= want {
		return 0
	}
	return at
}
