package session

import (
	"context"
	"sync"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/parallel"
)

// lane is experiments that run beside each other: so many on a usual machine, and no
// fewer than least on a slow one.
type lane struct{ usual, least int }

// Those that keep the CPUs busy gain nothing from more company; those that wait cost
// next to nothing meanwhile. The numbers are constants, since what a run meets should not
// depend on the machine any more than it must.
var (
	busyLane    = lane{usual: 2, least: 2}
	patientLane = lane{usual: 16, least: 1}
)

// atOnce is how many experiments of a lane run at a time on this machine. A slow one
// gives each of many so little that sound daemons run into limits of their own: one that
// waits 10 s for a request's header has been seen to give up requests that had come.
func (s *Session) atOnce(l lane) int {
	if s.Runtime.Traits().Crowded {
		return 1
	}
	const bears = 2 // times as slow as usual, and still not crowded
	return max(l.least, int(float64(l.usual)*min(1, bears/s.Pace.slowness())))
}

// RunAll runs the experiments, several at a time, and says of each what it came
// to, from several goroutines. One that has not begun when ctx is done is left
// out. It returns when all that began have ended.
func (s *Session) RunAll(ctx context.Context, all []Experiment,
	done func(Experiment, Finding, error)) {
	s.Progress.Expect(all)
	ctx, stop := await.Attended(ctx)
	defer stop()
	s.shelf = &shelf{idle: map[string][]used{}}
	defer func() { s.noteProblem(s.shelf.clear(ctx)) }()
	var busy, patient []Experiment
	for _, e := range all {
		if e.Busy {
			busy = append(busy, e)
		} else {
			patient = append(patient, e)
		}
	}
	s.longestFirst(busy)
	s.longestFirst(patient)
	var lanes sync.WaitGroup
	lanes.Go(func() { s.runLane(ctx, busy, s.atOnce(busyLane), done) })
	lanes.Go(func() { s.runLane(ctx, patient, s.atOnce(patientLane), done) })
	lanes.Wait()
}

func (s *Session) runLane(ctx context.Context, those []Experiment, atOnce int,
	done func(Experiment, Finding, error)) {
	// That ctx ended it is in the findings of those that had begun.
	_, _ = parallel.Do(ctx, 0, len(those), atOnce, func(i int) {
		finding, err := s.Run(ctx, those[i])
		done(those[i], finding, err)
	})
}

// startSlot waits for its turn to start a sandbox, which ends with free.
func (s *Session) startSlot(ctx context.Context) (free func(), err error) {
	s.mu.Lock()
	if s.starting == nil {
		s.starting = make(chan struct{}, s.Runtime.Traits().StartsAtOnce)
	}
	starting := s.starting
	s.mu.Unlock()
	select {
	case starting <- struct{}{}:
		return func() { <-starting }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
