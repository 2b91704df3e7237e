package session

import (
	"context"
	"sync"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/parallel"
)

// How many experiments run at a time. Those that keep the CPUs busy gain
// nothing from more company; those that wait cost next to nothing meanwhile. The
// numbers are constants, since what a run meets should not depend on the machine
// any more than it must.
const (
	busyAtOnce    = 2
	patientAtOnce = 8
)

// atOnce is how many experiments of a lane run at a time on this machine. A slow one
// gives each of many so little that sound daemons run into limits of their own: one that
// waits 10 s for a request's header has been seen to give up requests that had come.
func (s *Session) atOnce(lane int) int {
	if s.Runtime.Traits().Crowded {
		return 1
	}
	const bears = 2 // times as slow as usual, and still not crowded
	return max(1, int(float64(lane)*min(1, bears/s.Pace.slowness())))
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
	lanes.Go(func() { s.runLane(ctx, busy, s.atOnce(busyAtOnce), done) })
	lanes.Go(func() { s.runLane(ctx, patient, s.atOnce(patientAtOnce), done) })
	lanes.Wait()
}

func (s *Session) runLane(ctx context.Context, lane []Experiment, atOnce int,
	done func(Experiment, Finding, error)) {
	// That ctx ended it is in the findings of those that had begun.
	_, _ = parallel.Do(ctx, 0, len(lane), atOnce, func(i int) {
		finding, err := s.Run(ctx, lane[i])
		done(lane[i], finding, err)
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
