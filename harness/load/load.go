// Package load decides what is asked of a target and how many requests are in
// flight. Run is the front door; Command says what a request executes.
package load

import (
	"context"
	"sync"
	"sync/atomic"
)

// Run calls do for every index from first to last-1, with at most inFlight
// calls at a time, and returns when all have returned. Once ctx is done no
// further call begins; Run then returns its cause. It returns how many calls
// were begun.
func Run(ctx context.Context, first, last, inFlight int, do func(index int)) (int, error) {
	var next, begun atomic.Int64
	next.Store(int64(first))
	var clients sync.WaitGroup
	for range min(max(1, inFlight), last-first) {
		clients.Go(func() {
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
	clients.Wait()
	return int(begun.Load()), context.Cause(ctx)
}
