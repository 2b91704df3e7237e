package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// deadline is that of one answer. It is far above what an instant command takes
// with hundreds in flight: one that passes it hangs.
const deadline = 30 * time.Second

// answers collects what came back. It may be used by many goroutines.
type answers struct {
	mu       sync.Mutex
	times    *hdrhistogram.Histogram // microseconds
	outcomes Outcomes
	why      string // the first bad answer
}

func newAnswers() *answers { return &answers{times: newTimes(), outcomes: Outcomes{}} }

// newTimes counts microseconds with three digits, up to twice the deadline.
func newTimes() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, (2 * deadline).Microseconds(), 3)
}

func (a *answers) add(outcome trial.Outcome, why string, took time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.outcomes[outcome]++
	if outcome != trial.OK && a.why == "" {
		a.why = why
	}
	_ = a.times.RecordValue(min(took.Microseconds(), a.times.HighestTrackableValue()))
}

// execute asks for the command with that index and judges the answer. One that
// an interrupt cuts short is not counted.
func (d *daemon) execute(ctx context.Context, source load.Source, index int, limit time.Duration, into *answers) {
	command := source(index, load.Random(d.seed, d.Name(), index))
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	sent := time.Now()
	answer := d.client.Execute(bounded, command.Request)
	took := time.Since(sent)
	if ctx.Err() != nil {
		return
	}
	outcome, why := trial.Classify(d.dialect.Want(command.Want), answer)
	into.add(outcome, fmt.Sprintf("%s: %q: %s", outcome, command.Script, why), took)
}
