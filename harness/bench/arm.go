package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/parallel"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// arm is one of the things whose rates are compared.
type arm interface {
	// turn keeps so many requests in flight for so long and waits for the last
	// answer. An error means that the arm cannot be measured any more; a bad
	// answer is counted.
	turn(ctx context.Context, inFlight int, length time.Duration) (turn, error)
}

// turn is what one turn of one arm came to.
type turn struct {
	times    *hdrhistogram.Histogram // microseconds
	took     time.Duration           // from the first request to the last answer
	outcomes Outcomes
	why      string
	cost     Cost // of all its executions together
}

// Cost is CPU time by who spent it. Unlike a rate it hardly depends on what
// else the machine does.
type Cost struct {
	// Client is the harness's own, Daemon the target's, Commands that of the
	// processes that it started.
	Client, Daemon, Commands time.Duration
}

func (c Cost) plus(d Cost) Cost {
	return Cost{c.Client + d.Client, c.Daemon + d.Daemon, c.Commands + d.Commands}
}

func (c Cost) minus(d Cost) Cost {
	return Cost{c.Client - d.Client, c.Daemon - d.Daemon, c.Commands - d.Commands}
}

func (c Cost) all() time.Duration { return c.Client + c.Daemon + c.Commands }

func (t turn) perSecond() float64 { return float64(t.times.TotalCount()) / t.took.Seconds() }

// daemonArm asks a daemon to execute commands.
type daemonArm struct {
	*daemon
	commands load.Source
	next     int // the index of the next command
}

func (a *daemonArm) turn(ctx context.Context, inFlight int, length time.Duration) (turn, error) {
	a.connect(ctx, inFlight)
	bounded, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	before, err := a.cost()
	if err != nil {
		return turn{}, errors.Join(err, a.ended())
	}
	came := newAnswers()
	began := time.Now()
	begun, _ := parallel.Do(bounded, a.next, math.MaxInt, inFlight, func(i int) {
		a.execute(ctx, a.commands, i, deadline, came)
	})
	took := time.Since(began)
	a.next += begun
	after, err := a.cost()
	return turn{came.times, took, came.outcomes, came.why, after.minus(before)}, errors.Join(context.Cause(ctx), a.ended(), err)
}

// connect leaves open what connections the turn needs. Each one more is a file
// that every child of the daemon closes on its way to exec: 250 left over from an
// earlier turn were seen to cost 0.1 ms of CPU time per execution.
func (a *daemonArm) connect(ctx context.Context, inFlight int) {
	a.client.Close()
	_, _ = parallel.Do(ctx, 0, inFlight, inFlight, func(i int) {
		a.execute(ctx, refused, i, deadline, newAnswers())
	})
}

// cost is what was spent since the start of each process.
func (a *daemonArm) cost() (Cost, error) {
	self, err := probe.LookAt(a.PID())
	if err != nil {
		return Cost{}, err
	}
	var own unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &own); err != nil {
		return Cost{}, fmt.Errorf("look at own CPU time: %w", err)
	}
	return Cost{Client: time.Duration(own.Utime.Nano() + own.Stime.Nano()), Daemon: self.CPU, Commands: self.Reaped}, nil
}

// refused is asked for where nothing is to be executed: the daemon reads the
// request, finds no command in it and says so.
func refused(int, *rand.Rand) load.Command {
	return load.Command{Kind: "refused", Want: trial.Want{NotRun: true}}
}
