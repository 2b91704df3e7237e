package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/parallel"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Sleep is a daemon with many commands in flight, which all sleep until they
// are told to end, at the same moment.
type Sleep struct {
	Strategy string   `json:"strategy"`
	InFlight int      `json:"inFlight"`
	Before   Figures  `json:"before"`
	During   Figures  `json:"during"`
	After    Figures  `json:"after"`
	Outcomes Outcomes `json:"outcomes"`
	// Why is the first answer that was not ok.
	Why string `json:"why,omitempty"`
	// Stuck says how many it took, where it did not take all of them at a time.
	Stuck string `json:"stuck,omitempty"`
	// Died says how the daemon ended, where it did not survive.
	Died string `json:"died,omitempty"`
}

const (
	// sleepLimit bounds one sleep from its start to the answer. A daemon with a
	// thread per child starts a hundred a second at worst.
	sleepLimit = 3 * time.Minute
	// sleepStep is how many requests are sent at once: more than the kernel's
	// queue of new connections would have to try again.
	sleepStep = 200
)

// sleeps looks at each strategy with each number of commands in flight, on a
// fresh daemon: a Go process keeps the threads that it once had.
func (b *Bench) sleeps(ctx context.Context, report *Report) error {
	for _, inFlight := range b.Scale.Sleeps {
		for _, strategy := range b.Strategies {
			n := b.sleepsOf(strategy, inFlight)
			s, err := b.sleep(ctx, strategy, n)
			if err != nil {
				return fmt.Errorf("%s with %d in flight: %w", strategy, n, err)
			}
			report.Sleeps = append(report.Sleeps, s)
			b.Progress.Say("sleeps: %s with %d in flight: %s", strategy, n, s.text())
		}
	}
	return nil
}

// sleepsOf is how many a daemon has in flight where inFlight are asked for.
func (s Scale) sleepsOf(strategy string, inFlight int) int {
	if strategy == s.judged() || s.Compared == 0 {
		return inFlight
	}
	return min(inFlight, s.Compared)
}

// sleep is one row. That the daemon ends is a result, not an error.
func (b *Bench) sleep(ctx context.Context, strategy string, inFlight int) (s Sleep, err error) {
	s = Sleep{Strategy: strategy, InFlight: inFlight, Outcomes: Outcomes{}}
	d, err := b.start(ctx, fmt.Sprintf("bench-%s-%d", strategy, inFlight), b.target(strategy),
		inFlight, sandbox.Front{})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, d.stop(ctx)) }()
	s.Died, err = d.survive(ctx, d.sleepers(ctx, &s))
	return s, err
}

// lost is how many were not answered as they should have been.
func (s Sleep) lost() int { return s.InFlight - s.Outcomes[trial.OK] }

// each is the daemon's whole memory, shared out among the commands in flight.
func (s Sleep) each() int { return s.During.RSS / s.InFlight }

func (s Sleep) text() string {
	if s.Died != "" {
		return "the daemon did not survive: " + s.Died
	}
	text := fmt.Sprintf("%d threads, %.1f KiB each, %v", s.During.Threads, kib(s.each()),
		s.Outcomes)
	if s.Stuck != "" {
		text += "; " + s.Stuck
	}
	return text
}

func kib(bytes int) float64 { return float64(bytes) / 1024 }

// sleepers brings all commands in flight, looks, and ends them.
func (d *daemon) sleepers(ctx context.Context, s *Sleep) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, sleepLimit,
		fmt.Errorf("%d sleeps started and ended expected within %v", s.InFlight, sleepLimit))
	defer cancel()
	if s.Before, err = d.look(ctx); err != nil {
		return err
	}
	came, gate := newAnswers(), make(chan struct{})
	answered := d.askAtGate(ctx, s.InFlight, gate, came)
	err = d.open(ctx, gate, s.InFlight)
	close(gate)                         // what was not sent will not be
	if errors.Is(err, await.ErrLimit) { // it takes no more at a time: a result
		s.Stuck, err = err.Error(), nil
	}
	if err == nil {
		s.During, err = d.look(ctx)
	}
	if err == nil {
		err = d.terminate(ctx, answered)
	}
	if err != nil {
		cancel()
	}
	<-answered
	s.Outcomes, s.Why = came.outcomes, came.why
	if err != nil {
		return err
	}
	d.client.Idle()
	s.After, err = d.settle(ctx, func(f Figures) bool {
		return f.Files <= s.Before.Files && f.Goroutines <= s.Before.Goroutines && f.Processes == 0
	})
	return err
}

// askAtGate has as many requests wait at the gate as total says. Each goes as the gate lets it
// through, and not at all once it is closed. The channel is closed when all are answered.
func (d *daemon) askAtGate(ctx context.Context, total int, gate <-chan struct{},
	came *answers) <-chan struct{} {
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = parallel.Do(ctx, 0, total, total, func(i int) {
			select {
			case _, open := <-gate:
				if open {
					d.execute(ctx, load.UntilTerminated, i, sleepLimit, came)
				}
			case <-ctx.Done():
			}
		})
	}()
	return answered
}

// open lets requests through the gate step by step, and returns when all of
// their commands run.
func (d *daemon) open(ctx context.Context, gate chan<- struct{}, total int) error {
	for sent := 0; sent < total; {
		for range min(sleepStep, total-sent) {
			select {
			case gate <- struct{}{}:
				sent++
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		if !d.ours && sent < total {
			continue // the look at the end says how many it has taken
		}
		if err := d.awaitTaken(ctx, sent); err != nil {
			return err
		}
	}
	return d.awaitAsleep(ctx, total)
}

// awaitAsleep waits until so many commands sleep. A daemon that is slow has its time: the limit
// is for one that starts no more of them.
func (d *daemon) awaitAsleep(ctx context.Context, total int) error {
	what, now := fmt.Sprintf("%d processes that sleep", total), 0
	for {
		before := now
		err := d.await(ctx, what, func() (any, bool, error) {
			asleep, err := d.asleep()
			now = len(asleep)
			return now, now >= total, err
		})
		if !errors.Is(err, await.ErrLimit) || now <= before {
			return err
		}
	}
}

// awaitTaken waits until the reference daemon says that it has so many in flight.
func (d *daemon) awaitTaken(ctx context.Context, sent int) error {
	if !d.ours {
		return nil
	}
	return d.await(ctx, fmt.Sprintf("%d commands in flight", sent), func() (any, bool, error) {
		var t told
		err := d.get(ctx, debugPath, &t)
		return t.InFlight, t.InFlight >= sent, err
	})
}

// asleep are the commands that sleep.
func (d *daemon) asleep() (probe.Snapshot, error) {
	all, err := probe.Look(d.PID())
	return slices.DeleteFunc(all.Since(d.own),
		func(p probe.Process) bool { return p.Name != sleeper }), err
}

// sleeper is the program that load.UntilTerminated becomes.
const sleeper = "sleep"

// terminate ends every command from outside. A signal to all that is in the sandbox
// would end a daemon that has an init in front, and is not PID 1. What has not begun
// yet is ended when it has.
func (d *daemon) terminate(ctx context.Context, answered <-chan struct{}) error {
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		asleep, err := d.asleep()
		if err != nil {
			return errors.Join(err, d.ended())
		}
		for _, p := range asleep {
			if err := p.Signal(unix.SIGTERM); err != nil {
				return err
			}
		}
		select {
		case <-answered:
			return nil
		case <-again.C:
		case <-d.Done():
			return d.ended()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
