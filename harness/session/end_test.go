package session

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// stirring never rests while it is looked at: this test is a process of its sandbox. It
// ends when it was looked at so often; 0 is never.
type stirring struct {
	*fakeSandbox
	pid, endsAt int
	looks       int
}

func (s *stirring) PID() int {
	if s.looks++; s.looks == s.endsAt {
		close(s.done)
	}
	return s.pid
}

func TestAnEndIsWaitedForAgainWhereSomethingStirs(t *testing.T) {
	var over atomic.Bool // until then some thread of this process runs, whoever looks
	var spinning sync.WaitGroup
	spinning.Go(func() {
		for !over.Load() {
		}
	})
	defer spinning.Wait()
	defer over.Store(true)
	for name, c := range map[string]struct {
		pid, endsAt, looks int
		wait               time.Duration
		ended              bool
	}{
		"it ends while it is waited for again": {os.Getpid(), 2, 2, time.Millisecond, true},
		"it spins":                             {os.Getpid(), 0, mostWaits, time.Millisecond, false},
		"nothing stirs":                        {0, 0, 1, time.Millisecond, false},
		"asked for now":                        {os.Getpid(), 0, 0, 0, false},
	} {
		sb := &stirring{&fakeSandbox{done: make(chan struct{})}, c.pid, c.endsAt, 0}
		a := &runningArm{sandbox: sb}
		if got := a.endedWithin(t.Context(), c.wait); got != c.ended || sb.looks != c.looks {
			t.Errorf("%s: ended %v, %d looks, want %v, %d", name, got, sb.looks, c.ended, c.looks)
		}
	}
}
