package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Arrival is what became of requests that came at a rate of their own, whatever the
// daemon did meanwhile. In the closed loops of Rate a client waits for its answer
// before it asks again: when the daemon stands still, no one comes, and one late answer
// stands for all who would have had to wait. Here they come, and wait.
type Arrival struct {
	Contestant string `json:"contestant"`
	// Offered is how many came a second, and Answered how many of these were answered a
	// second while others still came.
	Offered  float64 `json:"offered"`
	Answered float64 `json:"answered"`
	// Percentiles are microseconds from when a request was due to its answer.
	P50  int64 `json:"p50us"`
	P99  int64 `json:"p99us"`
	P999 int64 `json:"p999us"`
	// SentP99 is the one that a client would report which counts from when it has sent.
	SentP99 int64 `json:"sentP99us"`
	// Waiting is the highest number that had come and had no answer.
	Waiting   int      `json:"waiting"`
	Saturated bool     `json:"saturated,omitempty"`
	Outcomes  Outcomes `json:"outcomes"`
	Why       string   `json:"why,omitempty"`
	// Died says how the daemon ended, where it did not survive.
	Died string `json:"died,omitempty"`
}

const (
	// longestArrivals is how long requests come at one rate at most; all together come
	// half as long as the rates of closed loops are measured.
	longestArrivals = 2 * time.Second
	// keepsUp is the share of what comes that must be answered meanwhile, but for as
	// many as are under way at any time (claimLevel).
	keepsUp = 0.95
	// mostWaiting is how many requests may be under way: more would measure this
	// machine's sockets. Who comes later waits, and its time counts all the same.
	mostWaiting = 1000
)

// offeredShares are the rates at which requests come, as shares of what a closed loop
// reaches.
var offeredShares = []float64{0.25, 0.5, 0.75, 0.9, 1, 1.1}

// eachArrival is how long requests come at one rate.
func (s Scale) eachArrival() time.Duration {
	rates := len(offeredShares)
	if len(s.Arrivals) > 0 {
		rates = len(s.Arrivals)
	}
	return min(longestArrivals, s.Length/time.Duration(2*max(1, rates*len(s.Strategies))))
}

// arrivals lets requests come to each daemon, rate by rate, the daemons in turn.
func (b *Bench) arrivals(ctx context.Context, report *Report) (err error) {
	var racers []*daemonRacer
	defer func() {
		for _, r := range racers {
			err = errors.Join(err, r.stop(ctx))
		}
	}()
	for _, name := range b.Strategies {
		d, err := b.start(ctx, "bench-arrivals-"+name, b.target(name), b.widest(), sandbox.Front{})
		if err != nil {
			return err
		}
		racers = append(racers, &daemonRacer{daemon: d, commands: load.Instant})
	}
	most, err := b.reach(ctx, racers)
	if err != nil {
		return err
	}
	order := rand.New(rand.NewPCG(b.Seed, 2))
	for step := range max(len(b.Arrivals), len(offeredShares)) {
		for _, i := range order.Perm(len(racers)) {
			rate, ok := b.offered(step, most[i])
			if !ok {
				continue
			}
			a, err := racers[i].arrive(ctx, rate, b.eachArrival(), order)
			if err != nil {
				return fmt.Errorf("%s: %w", b.Strategies[i], err)
			}
			a.Contestant = b.Strategies[i]
			report.Arrivals = append(report.Arrivals, a)
		}
	}
	return nil
}

// reachTurns is in how many turns, in turn with the others, it is found out what a
// daemon reaches; the first warms up.
const reachTurns = 4

// reach is the best that each daemon does in a closed loop.
func (b *Bench) reach(ctx context.Context, racers []*daemonRacer) ([]float64, error) {
	most := make([]float64, len(racers))
	for n := range reachTurns {
		for i, r := range racers {
			t, err := r.turn(ctx, claimLevel, b.Turn)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", b.Strategies[i], err)
			}
			if n > 0 {
				most[i] = max(most[i], t.perSecond())
			}
		}
	}
	return most, nil
}

// offered is the rate of a step, where there is one.
func (s Scale) offered(step int, most float64) (float64, bool) {
	if len(s.Arrivals) > 0 {
		if step >= len(s.Arrivals) {
			return 0, false
		}
		return float64(s.Arrivals[step]), true
	}
	return max(1, most*offeredShares[step]), true
}

// due are the moments at which requests come: at random, with so many a second in the
// mean, as they do where many clients do not know of each other.
func due(rate float64, length time.Duration, r *rand.Rand) []time.Duration {
	var all []time.Duration
	for at := time.Duration(0); ; {
		at += time.Duration(r.ExpFloat64() / rate * float64(time.Second))
		if at >= length {
			return all
		}
		all = append(all, at)
	}
}

// waiting collects what became of arrivals.
type waiting struct {
	*answers
	sent          *hdrhistogram.Histogram // microseconds from when they were sent
	inTime        int                     // answered while others still came
	now, mostEver int                     // that had come and had no answer
}

func (w *waiting) come() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now++
	w.mostEver = max(w.mostEver, w.now)
}

// arrive lets requests come for so long, and waits for the last answer.
func (a *daemonRacer) arrive(ctx context.Context, rate float64, length time.Duration,
	r *rand.Rand) (Arrival, error) {
	moments := due(rate, length, r)
	w := &waiting{answers: newAnswers(), sent: newTimes()}
	var clients sync.WaitGroup
	places := make(chan struct{}, mostWaiting)
	began := time.Now()
	for i, at := range moments {
		if !sleepUntil(ctx, began.Add(at)) {
			break
		}
		w.come()
		places <- struct{}{} // each is given back within the deadline of an answer
		clients.Go(func() {
			defer func() { <-places }()
			a.answer(ctx, a.next+i, began, at, length, w)
		})
	}
	clients.Wait()
	a.next += len(moments)
	result := Arrival{
		Offered:  float64(len(moments)) / length.Seconds(),
		Answered: float64(w.inTime) / length.Seconds(),
		P50:      w.times.ValueAtQuantile(50), P99: w.times.ValueAtQuantile(99),
		P999: w.times.ValueAtQuantile(99.9), SentP99: w.sent.ValueAtQuantile(99),
		Waiting: w.mostEver, Outcomes: w.outcomes, Why: w.why,
	}
	result.Saturated = float64(w.inTime+claimLevel) < keepsUp*float64(len(moments))
	var err error
	result.Died, err = a.survive(ctx, context.Cause(ctx))
	return result, err
}

// answer asks for one command that was due at a moment, and counts from then.
func (a *daemonRacer) answer(ctx context.Context, index int, began time.Time, at,
	length time.Duration, w *waiting) {
	sent := time.Now()
	outcome, why, ok := a.ask(ctx, a.commands, index, deadline)
	done := time.Now()
	w.mu.Lock()
	w.now--
	if ok {
		_ = w.sent.RecordValue(min(done.Sub(sent).Microseconds(), w.sent.HighestTrackableValue()))
		if done.Sub(began) <= length {
			w.inTime++
		}
	}
	w.mu.Unlock()
	if ok {
		w.add(outcome, why, done.Sub(began)-at)
	}
}

// sleepUntil returns false where ctx ended first.
func sleepUntil(ctx context.Context, moment time.Time) bool {
	left := time.Until(moment)
	if left <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
