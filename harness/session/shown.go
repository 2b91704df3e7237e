package session

import (
	"context"
	"sync"

	"github.com/reapcheck/reapcheck/harness/fault"
)

// showing finds the trial by which an arm with UntilShown has shown its claim. One
// that the fault did not hit shows nothing: a daemon that loses codes for another
// reason clears no candidate.
type showing struct {
	mu    sync.Mutex
	by    *int  // the trial; nil while there is none
	last  *int  // one that did what is claimed, and may have been hit
	hits  int64 // of the fault, before the last trial
	known bool  // hits is
}

// note keeps that a trial did what is claimed.
func (s *showing) note(index int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = &index
}

// settle decides about the last trial, where hits are the fault's until now. The first
// call can say nothing of a trial before it.
func (s *showing) settle(hits int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil && s.known && hits > s.hits {
		s.by = s.last
	}
	s.last, s.hits, s.known = nil, hits, true
}

// settleUncounted decides about the last trial of an arm whose hits cannot be told
// trial by trial, or that has no fault.
func (s *showing) settleUncounted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = s.last
	}
}

func (s *showing) shownBy() *int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.by
}

// done says whether a trial would show nothing new.
func (a *runningArm) done(index int) bool {
	return a.UntilShown && index-a.part.first >= a.AtLeast && a.showing.shownBy() != nil
}

// settleShown decides about the last trial of an arm that ends when its claim is shown.
func (a *runningArm) settleShown(ctx context.Context) {
	if !a.UntilShown {
		return
	}
	if counting, ok := a.injected.(fault.Counting); ok {
		if hits, err := counting.SoFar(ctx); err == nil {
			a.showing.settle(hits)
			return
		}
	}
	a.showing.settleUncounted()
}
