// Package evidence is what a recording tells of one way in which an arm went wrong, and the
// questions that are asked of it to find the cause.
package evidence

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// Evidence is one way in which an arm went wrong, and what the arm shows beside it.
type Evidence struct {
	Symptom trial.Symptom
	// Fault is the name of what was injected; empty for nothing.
	Fault string
	// Kinds counts all trials of the arm by the kind of their command.
	Kinds map[string]int
	// Ways are all ways in which trials of the arm went wrong.
	Ways []trial.Way
	// Plain are the ways in which most commands of a kind went wrong in arms of the scenario
	// without a fault.
	Plain []trial.Way
	// Left is how many processes too many are left in the sandbox, zombies too, and Zombies
	// how many zombies; 0 where no check says so.
	Left, Zombies int
	// Ended says that PID 1 was to run on in this arm, and did not.
	Ended bool
	// StandsStill says that after a hang not even a plain command was answered.
	StandsStill bool
	// Way is how the trials went wrong; the zero Way is a check's.
	Way trial.Way
	// Check is what does not hold; the zero Check is a trial's.
	Check trial.Check
}

// Checks that more than one cause is known by.
const (
	// Target is whether PID 1 runs on, or ends as it has to.
	Target = "target"
	// Runs is what Target wants where nothing is to end it.
	Runs = "running"
	// Zombies are those that nobody reaped, and leftProcesses all that are left in the sandbox.
	Zombies       = "zombies"
	leftProcesses = "processes besides the target"
	// TemporaryFiles are those that commands, or what was done for them, have left.
	TemporaryFiles = "temporary files"
	// PlainCommand is one that is asked for when others have hung.
	PlainCommand = "a plain command after others hung"
)

// Held are the checks of what a process that is left behind may hold.
var Held = []string{"the target's open files", "the target's threads",
	"the target's memory in bytes", "highest of the target's open files"}

// Enough trials are no chance: a race does not lose all of them, and what they show will
// show again.
const Enough = 3

// Of is what the arm shows as a whole, without a way or a check.
func Of(s *trial.Summary) Evidence {
	e := Evidence{Fault: s.Plan.Fault, Kinds: s.Kinds, Ways: s.Ways}
	for _, c := range s.FailedChecks() {
		e.Ended = e.Ended || c.Name == Target && c.Want == Runs
		e.StandsStill = e.StandsStill || c.Name == PlainCommand
		e.Left = max(e.Left, amount(c, leftProcesses))
		e.Zombies = max(e.Zombies, amount(c, Zombies))
	}
	return e
}

// amount is how many of these a check has found; 0 if it is another check.
func amount(c trial.Check, name string) (n int) {
	if c.Name == name {
		_, _ = fmt.Sscanf(c.Got, "%d", &n)
	}
	return n
}

// OfWay is the evidence for one way in which trials went wrong.
func (e Evidence) OfWay(way trial.Way) Evidence {
	e.Symptom, e.Way = trial.Symptom(way.Outcome), way
	return e
}

// OfCheck is the evidence for a check that does not hold.
func (e Evidence) OfCheck(c trial.Check) Evidence {
	e.Symptom, e.Check = trial.FailedCheck(c.Name), c
	return e
}

// Is says whether trials came to one of these outcomes.
func (e Evidence) Is(outcomes ...trial.Outcome) bool {
	return e.Way.Trials > 0 && slices.Contains(outcomes, e.Way.Outcome)
}

// Of says whether the trials' commands are of one of these kinds, or have it beside others. A
// word that ends in a hyphen stands for all kinds that begin so. Where it is known which of
// the others an output is of, it is no other.
func (e Evidence) Of(kinds ...string) bool {
	return fits(e.about(), kinds)
}

// about is the word of the kind that went wrong, where it is known, and else the whole kind.
func (e Evidence) about() string { return cmp.Or(e.Way.First.Part, e.Way.Kind) }

// OnlyIn says whether what is not as wanted in an output comes from one of these words, and in
// no trial of the arm from one of the others.
func (e Evidence) OnlyIn(words []string, others ...string) bool {
	return e.Is(trial.Output) && fits(e.Way.First.Part, words) &&
		!slices.ContainsFunc(e.Ways, func(w trial.Way) bool { return fits(w.First.Part, others) })
}

// Mostly is Of for a command that has one of these kinds beside others, as in pairs: most that
// have it went wrong so, or it says nothing.
func (e Evidence) Mostly(kinds ...string) bool {
	if !strings.Contains(e.about(), "+") {
		return e.Of(kinds...)
	}
	for word := range strings.SplitSeq(e.about(), "+") {
		if went, ran := e.Count(e.Way.Outcome, word); fits(word, kinds) && 2*went >= ran {
			return true
		}
	}
	return false
}

// OnlyOf says whether commands of these kinds went wrong, and no others of the arm.
func (e Evidence) OnlyOf(kinds ...string) bool {
	return e.Of(kinds...) && !slices.ContainsFunc(e.Ways,
		func(w trial.Way) bool { return !fits(w.Kind, kinds) })
}

// Says looks for words in what is told of the first such trial.
func (e Evidence) Says(words ...string) bool {
	return slices.ContainsFunc(words,
		func(w string) bool { return strings.Contains(e.Way.First.Detail, w) })
}

// Under says whether the fault's name has one of these words.
func (e Evidence) Under(words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(e.Fault, w) })
}

// All says whether every command of this kind went wrong so.
func (e Evidence) All() bool { return e.Way.Trials == e.Kinds[e.Way.Kind] }

// Most says whether that is how commands of this kind go: a race that is forced is lost by
// most of them, and one that is not by few.
func (e Evidence) Most() bool { return 2*e.Way.Trials >= e.Kinds[e.Way.Kind] }

// CodeAlone says whether nothing but the code was wrong, as far as the output tells.
func (e Evidence) CodeAlone() bool { return e.Way.First.CodeAlone() }

// Found says whether a command that looks for something found it: it says so, and ends with the
// next code.
func (e Evidence) Found() bool {
	r := e.Way.First
	return e.Is(trial.Wrong) && (e.Says(`"found: `) || r.Got != nil && *r.Got == (r.Want+1)%256)
}

// Went says whether commands of one of these kinds came to that outcome in the arm.
func (e Evidence) Went(o trial.Outcome, kinds ...string) bool {
	n, _ := e.Count(o, kinds...)
	return n > 0
}

// Count says how many commands of these kinds came to that outcome in the arm, and how
// many ran.
func (e Evidence) Count(o trial.Outcome, kinds ...string) (went, ran int) {
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

// fits says whether a kind, or one of the words that a plus sign joins in it, is one of these.
func fits(kind string, patterns []string) bool {
	for word := range strings.SplitSeq(kind, "+") {
		if slices.ContainsFunc(patterns, func(p string) bool {
			return word == p || strings.HasSuffix(p, "-") && strings.HasPrefix(word, p)
		}) {
			return true
		}
	}
	return false
}

// ReaperFirst says whether the fault lets the reaper come before the waiter, or before
// the child is registered, or published late. What goes wrong without it too is not of that.
func (e Evidence) ReaperFirst() bool {
	return e.Under("reaper-wins", "until reaped", "returns after", "frozen for", "before-") &&
		!slices.ContainsFunc(e.Plain, func(w trial.Way) bool {
			return w.Kind == e.Way.Kind && w.Outcome == e.Way.Outcome
		})
}

// SameCode says whether so many commands of different codes were told one code that it
// is no command's.
func (e Evidence) SameCode() bool {
	return e.Way.OneCode && e.Way.Trials >= Enough
}

// ToldOf says whether the first such trial was told that one of these signals ended its command.
func (e Evidence) ToldOf(signals ...int) bool {
	got := e.Way.First.Got
	return got != nil && slices.Contains(signals, *got-128)
}

// Fails says whether one of these checks does not hold.
func (e Evidence) Fails(names ...string) bool { return slices.Contains(names, e.Check.Name) }

// Ran says whether the arm had a command of one of these kinds.
func (e Evidence) Ran(kinds ...string) bool {
	_, n := e.Count("", kinds...)
	return n > 0
}

// Leaves says whether a check finds processes, or what such processes hold.
func (e Evidence) Leaves() bool { return e.Fails(leftProcesses) || e.Left > 0 && e.Fails(Held...) }

// AllEnded says whether all that is left has ended: nothing runs on.
func (e Evidence) AllEnded() bool { return e.Zombies > 0 && e.Zombies >= e.Left }
