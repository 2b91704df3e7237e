package session

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// quickest is the least time that a right answer took, by the kind of command.
type quickest struct {
	mu   sync.Mutex
	took map[string]time.Duration
}

func (q *quickest) note(kind string, outcome trial.Outcome, took time.Duration) {
	if outcome != trial.OK {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.took == nil {
		q.took = map[string]time.Duration{}
	}
	if least, ok := q.took[kind]; !ok || took < least {
		q.took[kind] = took
	}
}

// checkPrompt compares the quickest right answer to each kind of command with the
// arm's bound. Where no answer was right there is worse to tell.
func (a *runningArm) checkPrompt() {
	if a.Prompt == 0 {
		return
	}
	bound := a.session.Patience(a.Prompt)
	a.quickest.mu.Lock()
	defer a.quickest.mu.Unlock()
	for _, kind := range slices.Sorted(maps.Keys(a.quickest.took)) {
		took := a.quickest.took[kind]
		a.recorder.Write(trial.Line{Check: &trial.Check{
			Name: "quickest answer to " + kind, Want: fmt.Sprintf("within %v", bound),
			Got: took.Round(time.Millisecond).String(), OK: took <= bound,
		}})
	}
}

// judge classifies an answer, and looks at when it came: a timeout is not told before
// it is due.
func (a *runningArm) judge(cmd load.Command, answer trial.Answer, took time.Duration) (
	trial.Outcome, string) {
	want := a.target.Dialect.Want(cmd.Want)
	outcome, detail := trial.Classify(want, answer)
	if outcome == trial.OK && trial.TooEarly(want, answer, cmd.Timeout, took) {
		return trial.Error, fmt.Sprintf(
			"timeout reported for a command after %v, before its limit of %v",
			took.Round(time.Millisecond), cmd.Timeout)
	}
	return outcome, detail
}
