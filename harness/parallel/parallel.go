// Package parallel is a loop that has a bounded number of its turns under way.
package parallel

import (
	"context"
	"sync"
	"sync/atomic"
)

// Do calls do for every index from first to last-1, with at most atOnce
// calls at a time, and returns when all have returned. Once ctx is done no
// further call begins; Do then returns its cause. It returns how many calls
// were begun.
func Do(ctx context.Context, first, last, atOnce int, do func(index int)) (int, error) {
	var next, begun atomic.Int64
	next.Store(int64(first))
	var workers sync.WaitGroup
	for range min(max(1, atOnce), last-first) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := next.Add(1) - 1
				if i >= int64(last) {
					return
				}
				begun.Add(1)
				do(int(i))
			}
		})
	}
	workers.Wait()
	return int(begun.Load()), context.Cause(ctx)
}
