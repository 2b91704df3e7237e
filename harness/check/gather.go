package check

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// gathering lets commands that only sleep come together, and ends them once all
// sleep at the same time. However long a busy machine takes to start them, the
// first does not end before the last has begun.
type gathering struct {
	all  int // that are to sleep at a time
	pid  int // the target's
	look int // how many looks there were
	// noMoreAfter is how long none must have come for those that sleep to be all that
	// the target runs at a time: the others wait for them.
	noMoreAfter time.Duration
	// ready asks the target whether it is ready; nil where nothing can.
	ready func(ctx context.Context) error
	// before is what the sandbox had when it began: no commands.
	before probe.Snapshot

	most   int          // that slept at a time, ever
	asleep int          // that slept at the last look
	asked  *trial.Check // whether the target answered meanwhile; nil before it was asked
	grew   time.Time    // when there were last more than before
}

// gatherEvery is how many looks at the target there are to one at its commands,
// which costs a hundred times as much.
const gatherEvery = 10

// leastPatience is for looks that find out what a target does, and not only that what is
// over leaves nothing: commands have been seen to take a second to come together.
const leastPatience = 3 * time.Second

// Ready is the check that a target which is asked whether it is ready says anything.
const Ready = "an answer to who asks whether the target is ready"

// StaysBelowWhileAllSleep is StaysBelow for commands that sleep until they are
// terminated, of which there are to be that many at a time. While they sleep the target
// is asked at the path ready, unless that is empty, and promised to answer, whatever it
// says.
func StaysBelowWhileAllSleep(commands, slack int, c Count, ready string) session.Watch {
	return func(ctx context.Context, sb sandbox.Sandbox,
		within time.Duration) (session.Look, error) {
		g := &gathering{all: commands, pid: sandbox.Daemon(sb),
			noMoreAfter: max(within, leastPatience)}
		g.before, _ = probe.Look(g.pid) // an error shows again at the first look
		if ready != "" {
			g.ready = func(ctx context.Context) error { return ask(ctx, sb, ready) }
		}
		look, err := sampled(ctx, slack, c, g.lookAt)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) ([]trial.Check, error) {
			checks, err := look(ctx)
			if g.asked != nil {
				checks = append(checks, *g.asked)
			}
			return checks, errors.Join(err, g.enough(slack))
		}, nil
	}
}

// lookAt looks at the target, and now and then at its commands.
func (g *gathering) lookAt() (probe.Process, error) {
	g.look++
	if g.look%gatherEvery != 0 {
		return probe.LookAt(g.pid)
	}
	seen, err := probe.Look(g.pid)
	if err != nil {
		return probe.Process{}, err
	}
	if sleeps := seen.Since(g.before).Named("sleep"); g.complete(len(sleeps), time.Now()) {
		g.askOnce()
		err = fault.Terminate(sleeps)
	}
	return seen.Target(), err
}

// askOnce asks the target while its commands sleep: they end only afterwards, so one that
// waits for them does not answer, however fast the machine is.
func (g *gathering) askOnce() {
	if g.ready == nil || g.asked != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), g.noMoreAfter)
	defer cancel()
	g.asked = &trial.Check{Name: Ready, Want: fmt.Sprintf("within %v", g.noMoreAfter),
		Got: "an answer", OK: true}
	if err := g.ready(ctx); err != nil {
		g.asked.Got, g.asked.OK = err.Error(), false
	}
}

// ask returns an error unless the target says something, on a connection of its own.
func ask(ctx context.Context, sb sandbox.Sandbox, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, sb.URL()+path, nil)
	if err != nil {
		return err
	}
	transport := sandbox.Transport(sb)
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// complete says whether those that sleep are all that are to be expected.
func (g *gathering) complete(sleeping int, now time.Time) bool {
	if sleeping > g.asleep || sleeping == 0 {
		g.grew = now
	}
	g.asleep, g.most = sleeping, max(g.most, sleeping)
	return sleeping >= g.all || now.Sub(g.grew) >= g.noMoreAfter
}

// enough says why a count that rises by slack with the commands would not have
// been seen to.
func (g *gathering) enough(slack int) error {
	if g.most > slack {
		return nil
	}
	return fmt.Errorf("%w: %d commands were seen to sleep at a time, more than %d needed",
		session.ErrUndecided, g.most, slack)
}
