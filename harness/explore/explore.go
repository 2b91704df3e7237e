// Package explore tries the orders in which starts, deaths, signals and waits can
// reach a daemon that nobody instrumented, and says which of them cost an exit code.
//
// Explorer is the front door: Run takes one order, Explore all of them or as many as
// a bound admits. The daemon runs in a sandbox and is seen through a tracer, a
// process of its own (package tracer). When each of its threads is held or asleep one
// held event is let go; which one is the choice. The names of the choices are the
// order, which repeats it. Time is the tracer's too, so that a busy machine changes
// no outcome.
//
// Between two choices one thread of the daemon goes on at a time. So what two of them do in
// their own memory, without a system call between them, comes in the same order in each run;
// it is one of many, and not tried in others.
package explore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/harness/explore/tracer"
	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
)

// Explorer runs one target. Close it when done.
type Explorer struct {
	Runtime sandbox.Runtime
	Hub     *seccomp.Hub
	// Spec is the target as it is started; Target says how it is spoken to.
	Spec   sandbox.Spec
	Target target.Target
	// Seed decides the commands' exit codes and output.
	Seed uint64
	// RestLimit bounds each wait until everybody is held or asleep; zero is UsualRest.
	RestLimit time.Duration

	sandbox sandbox.Sandbox
	tracer  *tracer.Tracer
	asking  sync.WaitGroup
	starts  int // how many sandboxes there were
	runs    int
	acts    int           // of its clients
	base    tracer.Rest   // at the last run's beginning
	phase   time.Duration // of the target's next timer at each run's beginning; 0 for none
}

// ErrDeclined means that this target, or this machine, cannot be explored; the text
// says why. It is no verdict.
var ErrDeclined = errors.New("orders cannot be explored")

// UsualRest is far more than it takes until everybody is held or asleep on a fast machine: a
// millisecond. A target that spins never comes to it.
const UsualRest = 10 * time.Second

// calmer is for targets in Go. On one processor goroutines that race for a mutex come
// in the same turn each time, and what a collection would do between two events is
// left to a target that has used up its memory.
var calmer = map[string]string{"GOMAXPROCS": "1", "GOGC": "off", "GOMEMLIMIT": "256MiB"}

// start makes the target ready, under a tracer from its execve on.
func (x *Explorer) start(ctx context.Context) (err error) {
	if x.tracer, err = tracer.Start(); err != nil {
		return err
	}
	x.starts++
	x.phase = 0
	spec := x.Spec
	spec.Name = fmt.Sprintf("%s-%d", x.Spec.Name, x.starts)
	spec.Env = maps.Clone(calmer)
	maps.Copy(spec.Env, x.Spec.Env)
	const kill = true // the sandbox is ours
	spec.Front = x.Hub.Traced(spec.Name, func(pid int) error { return x.tracer.Seize(pid, kill) })
	x.sandbox, err = x.Runtime.Start(ctx, spec)
	if _, refused := x.Hub.Supervisor(spec.Name); refused != nil {
		err = fmt.Errorf("%w: %w", ErrDeclined, errors.Join(refused, err))
	}
	if err == nil {
		err = x.calm(ctx)
	}
	if err != nil {
		return errors.Join(err, x.stop(ctx))
	}
	return nil
}

// calm stops the clock for the first time.
func (x *Explorer) calm(ctx context.Context) error {
	err := x.tracer.Begin(tracer.Watch{})
	if err == nil {
		err = x.tracer.End()
	}
	if err == nil {
		x.base, err = x.settle(ctx)
	}
	return err
}

func (x *Explorer) stop(ctx context.Context) (err error) {
	if x.tracer != nil {
		// A command that is held at its exit, or whose end its tracer has not seen, cannot be
		// killed, and a target in a PID namespace of its own ends after all others in it
		// (pid_namespaces(7)). With its tracer the target and all of these are killed at once.
		err = x.tracer.Close()
		x.tracer = nil
	}
	if x.sandbox != nil {
		err = errors.Join(err, x.sandbox.Stop(ctx))
		x.sandbox = nil
	}
	return err
}

// Close ends the target and its tracer, also when ctx is cancelled.
func (x *Explorer) Close(ctx context.Context) error { return x.stop(ctx) }

func (x *Explorer) url() string                { return x.sandbox.URL() }
func (x *Explorer) transport() *http.Transport { return sandbox.Transport(x.sandbox) }

// ErrRestless means that there was no moment at which everybody was held or asleep.
var ErrRestless = errors.New("the target does not come to rest")

func (x *Explorer) rest(ctx context.Context, after tracer.Clients) (tracer.Rest, error) {
	if err := ctx.Err(); err != nil {
		return tracer.Rest{}, err
	}
	rest, err := x.tracer.Rest(cmp.Or(x.RestLimit, UsualRest), after)
	switch {
	case errors.Is(err, tracer.ErrTraces):
		return rest, fmt.Errorf("%w: %w", ErrDeclined, err)
	case err != nil:
		return rest, err
	case rest.Restless != "":
		return rest, fmt.Errorf("%w: %s", ErrRestless, rest.Restless)
	}
	return rest, nil
}
