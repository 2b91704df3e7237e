package explore

import (
	"context"
	"time"

	"github.com/reapcheck/reapcheck/harness/explore/tracer"
)

// mostTimers bounds how many timers are let run out between two runs: a target that
// sets a new one each time never has none.
const mostTimers = 50

// settle lets time pass until the target's next timer is where it was before the first
// run, right after another one, so that all runs begin alike: a clock that ticks each second
// has just done so.
func (x *Explorer) settle(ctx context.Context) (rest tracer.Rest, err error) {
	var last time.Duration // how long a timer had left, that was not short, right after another one
	for fired := 0; ; fired++ {
		if rest, err = x.rest(ctx, tracer.Clients{}); err != nil {
			return rest, err
		}
		if len(rest.Timers) == 0 || rest.Timers[0] > farTimer {
			return rest, nil
		}
		next := rest.Timers[0]
		if next > shortTimer && fired > 0 {
			if x.phase == 0 && (next-last).Abs() < alike {
				x.phase = next // so long twice: it comes again and again
			}
			last = next
		}
		if x.ticks(rest) || fired == mostTimers {
			return rest, nil
		}
		if err := x.tracer.Advance(next); err != nil {
			return rest, err
		}
	}
}

// ticks says whether the target's next timer is where it is at each run's beginning.
func (x *Explorer) ticks(rest tracer.Rest) bool {
	return x.phase != 0 && len(rest.Timers) > 0 && (rest.Timers[0]-x.phase).Abs() < alike
}

// farTimer is beyond what a run sees of the target's time.
const farTimer = 2 * time.Second

// alike is by how much the next timer may differ from one run's beginning to the next:
// each look moves the clock, and epoll_wait counts in milliseconds.
const alike = 5 * time.Millisecond

// tick has what a target does each second or so begin while the first command starts, where
// its reaper is to be at work.
func (r *running) tick() error {
	if !r.plan.Rush || !r.ticks(r.now) {
		return nil
	}
	return r.advance(r.now.Timers[0] - soon)
}

// soon is before a timer that is over at once.
const soon = time.Millisecond
