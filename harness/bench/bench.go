// Package bench measures what a strategy costs: executions per second and
// latencies beside the other strategies and beside what the machine can do
// without a server, what thousands of commands in flight hold, and what a great
// many leave behind.
//
// Bench.Run is the front door; the Report says what was measured and what that
// is worth against the requirements. What is compared takes turns, many and
// short, so that noise which comes and goes on the machine meets all of it.
// Every answer of a turn is judged: a daemon that is fast and wrong does not pass.
package bench

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/reapcheck/reapcheck/harness/client"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

const (
	none     = "none"
	registry = "registry"
)

// Part is a part of a bench that can be run alone.
type Part string

const (
	// Rates compares executions per second.
	Rates Part = "rates"
	// Sleeps looks at a daemon with thousands of commands in flight.
	Sleeps Part = "sleeps"
	// Leaks looks at a daemon after a great many commands.
	Leaks Part = "leaks"
)

// Parts are all parts, in the order in which they run.
var Parts = []Part{Rates, Sleeps, Leaks}

// Scale says how much is measured.
type Scale struct {
	Parts      []Part
	Strategies []string
	// Length is how long the rates are measured, in turns that last Turn each.
	Length, Turn time.Duration
	// Sleeps are how many commands are to be in flight, one number after the other.
	Sleeps []int
	// Commands is how many are executed before the look for what they left.
	Commands int
}

// Bench is one run.
type Bench struct {
	Scale
	Runtime sandbox.Runtime
	// Daemon is the path of the reference daemon's ordinary build.
	Daemon string
	// Hub puts a launcher in front of one daemon.
	Hub      *seccomp.Hub
	Seed     uint64
	Progress *session.Progress
}

// Run measures and adds to the report as it goes, so that an interrupted run
// leaves what it saw. The error says why it did not reach its end.
func (b *Bench) Run(ctx context.Context, report *Report) error {
	parts := map[Part]func(context.Context, *Report) error{Rates: b.rates, Sleeps: b.sleeps, Leaks: b.leaks}
	for _, part := range Parts {
		if !slices.Contains(b.Parts, part) {
			continue
		}
		if err := parts[part](ctx, report); err != nil {
			return fmt.Errorf("measure %s: %w", part, err)
		}
	}
	return nil
}

// daemon is a running target and how it is asked.
type daemon struct {
	sandbox.Sandbox
	client  *client.Client
	dialect dialect.Dialect
	seed    uint64
}

// start starts a daemon with room for as many connections as requests will be
// in flight. An empty front is none.
func (b *Bench) start(ctx context.Context, name, strategy string, inFlight int, front sandbox.Front) (*daemon, error) {
	dialect := target.Reference(strategy).Dialect
	sb, err := b.Runtime.Start(ctx, sandbox.Spec{
		Name: name, Binary: b.Daemon, Front: front, Port: dialect.Port, Ready: dialect.Ready,
		Env: map[string]string{"DECK_STRATEGY": strategy, "DECK_LISTEN": fmt.Sprintf("0.0.0.0:%d", dialect.Port)},
	})
	if err != nil {
		return nil, err
	}
	return &daemon{Sandbox: sb, client: client.New(sb.URL(), dialect, inFlight, sandbox.Transport(sb)), dialect: dialect, seed: b.Seed}, nil
}

// stopLimit bounds the end of one daemon, which comes also after an interrupt.
const stopLimit = 30 * time.Second

func (d *daemon) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	d.client.Close()
	return d.Stop(ctx)
}

// ended says how the daemon ended, if it has.
func (d *daemon) ended() error {
	select {
	case <-d.Done():
		return fmt.Errorf("%s ended: %s", d.Name(), d.Ended())
	default:
		return nil
	}
}

// survive says how the daemon ended, if it did: what went wrong is then a result
// of the measurement and no error. One whose engine is lost has not ended by itself.
func (d *daemon) survive(ctx context.Context, err error) (died string, _ error) {
	if lost := sandbox.Lost(d.Sandbox); lost != nil {
		return "", errors.Join(err, lost)
	}
	if ended := d.ended(); ended != nil && ctx.Err() == nil {
		return ended.Error(), nil
	}
	return "", err
}

// get reads a JSON answer of the daemon's own, on a connection that does not
// stay.
func (d *daemon) get(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	transport := sandbox.Transport(d.Sandbox)
	transport.DisableKeepAlives = true
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.URL()+path, nil)
	if err != nil {
		return err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return errors.Join(fmt.Errorf("get %s of %s: %w", path, d.Name(), err), d.ended())
	}
	defer resp.Body.Close()
	return decode(resp, into)
}

// Outcomes counts judged answers.
type Outcomes map[trial.Outcome]int

// Bad is how many were not ok.
func (o Outcomes) Bad() int { return o.Total() - o[trial.OK] }

// Total is how many there were.
func (o Outcomes) Total() int {
	n := 0
	for _, count := range o {
		n += count
	}
	return n
}

// add counts another's outcomes too.
func (o Outcomes) add(more Outcomes) {
	for outcome, n := range more {
		o[outcome] += n
	}
}

// String names what was not ok.
func (o Outcomes) String() string {
	text := ""
	for _, outcome := range slices.Sorted(maps.Keys(o)) {
		if outcome != trial.OK {
			text += fmt.Sprintf(" %d %s", o[outcome], outcome)
		}
	}
	if text == "" {
		return "all ok"
	}
	return text[1:]
}
