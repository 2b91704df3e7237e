package results

import (
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// Evidence is what a recording tells of one way in which an arm went wrong.
type Evidence struct {
	Symptom trial.Symptom
	// Fault is the name of what was injected; empty for nothing.
	Fault string
	// Kinds counts all trials of the arm by the kind of their command.
	Kinds map[string]int
	// Ways are all ways in which trials of the arm went wrong.
	Ways []trial.Way
	// Left is how many processes too many are left in the sandbox, zombies too, and Zombies
	// how many zombies; 0 where no check says so.
	Left, Zombies int
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

// of says whether the trials' commands are of one of these kinds, or have it beside others. A
// word that ends in a hyphen stands for all kinds that begin so.
func (e Evidence) of(kinds ...string) bool {
	return fits(e.Way.Kind, kinds)
}

// says looks for words in what is told of the first such trial.
func (e Evidence) says(words ...string) bool {
	return slices.ContainsFunc(words,
		func(w string) bool { return strings.Contains(e.Way.First.Detail, w) })
}

// under says whether the fault's name has one of these words.
func (e Evidence) under(words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(e.Fault, w) })
}

// all says whether every command of this kind went wrong so.
func (e Evidence) all() bool { return e.Way.Trials == e.Kinds[e.Way.Kind] }

// most says whether that is how commands of this kind go: a race that is forced is lost by
// most of them, and one that is not by few.
func (e Evidence) most() bool { return 2*e.Way.Trials >= e.Kinds[e.Way.Kind] }

// codeAlone says whether nothing but the code was wrong, as far as the output tells.
func (e Evidence) codeAlone() bool { return e.Way.First.CodeAlone() }

// found says whether a command that looks for something found it: it says so, and ends with the
// next code.
func (e Evidence) found() bool {
	r := e.Way.First
	return e.is(trial.Wrong) && (e.says(`"found: `) || r.Got != nil && *r.Got == (r.Want+1)%256)
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

// reaperFirst says whether the fault lets the reaper come before the waiter, or before
// the child is registered, or published late.
func (e Evidence) reaperFirst() bool {
	return e.under("reaper-wins", "until reaped", "returns after", "frozen for", "before-")
}
