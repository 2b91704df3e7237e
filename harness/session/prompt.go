package session

import (
	"fmt"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// quickest is the least time that a right answer took; zero until there is one.
type quickest struct {
	mu   sync.Mutex
	took time.Duration
}

func (q *quickest) note(outcome trial.Outcome, took time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if outcome == trial.OK && (q.took == 0 || took < q.took) {
		q.took = took
	}
}

// checkPrompt compares the quickest right answer with the arm's bound. Where no
// answer was right there is worse to tell.
func (a *runningArm) checkPrompt() {
	a.quickest.mu.Lock()
	defer a.quickest.mu.Unlock()
	took := a.quickest.took
	if a.Prompt == 0 || took == 0 {
		return
	}
	a.recorder.write(trial.Line{Check: &trial.Check{
		Name: "quickest answer", Want: fmt.Sprintf("within %v", a.Prompt), Got: took.Round(time.Millisecond).String(), OK: took <= a.Prompt,
	}})
}
