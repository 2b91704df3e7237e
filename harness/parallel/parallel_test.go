package parallel

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
)

func TestDoVisitsEachIndexOnce(t *testing.T) {
	var mu sync.Mutex
	seen := map[int]int{}
	var now, most atomic.Int64
	begun, err := Do(t.Context(), 10, 110, 7, func(i int) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		mu.Lock()
		seen[i]++
		mu.Unlock()
		now.Add(-1)
	})
	if err != nil || begun != 100 || len(seen) != 100 || most.Load() > 7 {
		t.Errorf("begun %d, distinct %d, most at once %d, error %v", begun, len(seen), most.Load(), err)
	}
	for i, n := range seen {
		if n != 1 || i < 10 || i >= 110 {
			t.Errorf("index %d visited %d times", i, n)
		}
	}
}

func TestDoStopsWhenItsContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	begun, err := Do(ctx, 0, 1000, 4, func(i int) {
		if i == 10 {
			cancel()
		}
	})
	if err == nil || begun >= 1000 {
		t.Errorf("begun %d, error %v", begun, err)
	}
}

func TestDoOfNothing(t *testing.T) {
	if begun, err := Do(t.Context(), 5, 5, 4, func(int) { t.Error("called") }); begun != 0 || err != nil {
		t.Errorf("begun %d, error %v", begun, err)
	}
}
