package session

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// healthLimit is how long a target may take to answer beside a fault's coming
// and going: far more than the frozen third of a second, or a tracer that lets
// go of a loaded machine's threads.
var healthLimit = 10 * time.Second

// inject begins the fault in a target that is seen to be well, whatever the fault.
func (a *runningArm) inject(ctx context.Context) (err error) {
	if a.Fault == nil {
		return nil
	}
	if err := a.awaitReady(ctx); err != nil {
		return fmt.Errorf("%w before the fault: %w", sandbox.ErrTarget, err)
	}
	a.injected, err = a.Fault.Inject(ctx, a.sandbox)
	return err
}

// withdraw takes the fault's hits and undoes it. While stuck is not nil the target
// may still be under it.
func (a *runningArm) withdraw(ctx context.Context) (err, stuck error) {
	if a.injected == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.session.Patience(teardownLimit))
	defer cancel()
	a.last.FaultHits, a.last.FaultNote, err = a.injected.Hits(ctx)
	if err != nil {
		a.last.Error = err.Error()
	}
	if a.showing.shownBy() != nil { // what is held after that trial waits for the other arms' last
		a.last.FaultNote = ""
	}
	if stuck = a.injected.Undo(ctx); stuck != nil {
		stuck = fmt.Errorf("undo fault %s: %w", a.Fault.Name(), stuck)
	}
	if excusing, ok := a.injected.(fault.Excusing); ok && a.Role == trial.Candidate && a.bad.Load() {
		a.last.FaultNote = cmp.Or(a.last.FaultNote, excusing.Excuse())
	}
	return unlessDeclined(err), stuck
}

// plainLimit is for a command that does next to nothing.
var plainLimit = 5 * time.Second

// checkAnswers asks for a plain command where others have hung. A target that does not answer
// that either stands still as a whole, and what hung says nothing of its own.
func (a *runningArm) checkAnswers(ctx context.Context) {
	if a.Role != trial.Candidate || a.patience.hung.Load() == 0 {
		return
	}
	ctx, cancel := await.Limit(ctx, a.session.Patience(plainLimit))
	defer cancel()
	check := trial.Check{Name: evidence.PlainCommand, Want: "an answer", Got: "an answer", OK: true}
	if outcome, why := a.ask(ctx, a.speaker, 0); outcome == trial.Hung {
		check.Got, check.OK = why, false
	}
	a.recorder.Write(trial.Line{Check: &check})
}

// checkHealth sees whether a target that still has to run is well once its
// fault is undone. One that is not is the fault's last finding.
func (a *runningArm) checkHealth(ctx context.Context) {
	if a.injected == nil || a.mustEnd() {
		return
	}
	check := trial.Check{Name: "health after the fault", Want: "ready", Got: "ready", OK: true}
	if err := a.awaitReady(ctx); err != nil {
		check.Got, check.OK = err.Error(), false
	}
	a.recorder.Write(trial.Line{Check: &check})
}
