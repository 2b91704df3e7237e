package await

import (
	"context"
	"math"
	"sync/atomic"
	"time"
)

// clock counts the time in which this process could have seen something happen. The nil
// clock is the wall's.
type clock struct{ seen atomic.Int64 } // nanoseconds

type clockKey struct{}

// beat is how often a clock looks whether this process has its turn.
const beat = 25 * time.Millisecond

// Attended returns a context by which limits count only the time in which this process
// had its turns on a CPU. Where it gets none for seconds, or stands still with its machine,
// it reads an answer long after it came: whoever goes by the wall's clock blames the other
// side for that. stop ends the counting; no limit is passed from then on.
func Attended(ctx context.Context) (attended context.Context, stop func()) {
	counting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c, over := &clock{}, make(chan struct{})
	go func() {
		defer close(over)
		c.count(counting)
	}()
	return context.WithValue(ctx, clockKey{}, c), func() {
		cancel()
		<-over
	}
}

// beats adds the time since the last look. One that comes late counts for no more than two.
func (c *clock) beats(since time.Duration) { c.seen.Add(int64(min(since, 2*beat))) }

func (c *clock) count(ctx context.Context) {
	looks := time.NewTicker(beat)
	defer looks.Stop()
	for last := time.Now(); ; {
		select {
		case <-looks.C:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		c.beats(now.Sub(last))
		last = now
	}
}

// Limit is context.WithTimeout by the clock of ctx. A context that was ended by it has
// context.DeadlineExceeded as its cause, whatever its Err is, and Deadline does not know
// of it.
func Limit(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	c, _ := ctx.Value(clockKey{}).(*clock)
	if c == nil {
		return context.WithTimeout(ctx, limit)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	ends := c.seen.Load() + int64(limit)
	var again *time.Timer
	again = time.AfterFunc(math.MaxInt64, func() {
		switch left := time.Duration(ends - c.seen.Load()); {
		case ctx.Err() != nil:
		case left <= 0:
			cancel(context.DeadlineExceeded)
		default:
			again.Reset(max(left, beat))
		}
	})
	again.Reset(limit)
	return ctx, func() {
		again.Stop()
		cancel(context.Canceled)
	}
}

// Stopwatch begins to measure, and returns what tells the time that has passed since, by
// the clock of ctx.
func Stopwatch(ctx context.Context) (passed func() time.Duration) {
	if c, _ := ctx.Value(clockKey{}).(*clock); c != nil {
		began := c.seen.Load()
		return func() time.Duration { return time.Duration(c.seen.Load() - began) }
	}
	began := time.Now()
	return func() time.Duration { return time.Since(began) }
}
