package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/explore"
	"github.com/reapcheck/reapcheck/harness/explore/search"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Order is a kind of orders that an arm tries: what is asked for in each of them, by the
// kind that its trials have in the recording.
type Order struct {
	Kind string
	Plan explore.Plan
	// Most is how many are tried at most, none of them by chance; 0 for as many as of the
	// others.
	Most int
}

// exploring is an arm whose trials are orders.
type exploring struct {
	*runningArm
	explorer *explore.Explorer
	next     int          // the next trial's index
	bad      *explore.Run // the order that ends the arm
	tried    []tried
}

// explore does all of the arm's trials: as many orders of each kind as of the others, and
// those with the fewest events out of turn first, and then random walks. It ends at the
// first bad one. A target that cannot be explored leaves the arm undecided.
func (a *runningArm) explore(ctx context.Context) error {
	a.began = time.Now()
	x := &exploring{runningArm: a, explorer: a.session.explorer(a.asked(), a.target)}
	err := errors.Join(x.all(ctx), x.explorer.Close(context.WithoutCancel(ctx)))
	if unexplored(err) {
		a.last.Error = err.Error()
		return nil
	}
	return err
}

func (s *Session) explorer(spec sandbox.Spec, t target.Target) *explore.Explorer {
	spec.FaultPointsBinary = ""
	return &explore.Explorer{Runtime: s.Runtime, Hub: s.Hub, Spec: spec, Target: t, Seed: s.Seed}
}

// unexplored says whether an error means that orders cannot be tried with this target.
func unexplored(err error) bool {
	return errors.Is(err, explore.ErrDeclined) || errors.Is(err, explore.ErrRestless)
}

// asCandidate is an arm of no scenario's, for what is asked before all of them.
func (s *Session) asCandidate(name string) *runningArm {
	return &runningArm{
		Arm: Arm{Name: name, Role: trial.Candidate}, session: s, scenario: "orders",
		target: s.Candidate,
	}
}

// Explorable tries one order of the candidate. Its error says why none can be tried with
// it, or on this machine; problem is an error of the session's own.
func (s *Session) Explorable(ctx context.Context) (why, problem error) {
	first := explore.Shape("instant", 1, 0)
	a := s.asCandidate("try")
	a.Orders = []Order{{Kind: "first", Plan: first}}
	if why := a.start(ctx); why != nil {
		return why, nil
	}
	x := s.explorer(a.asked(), s.Candidate)
	_, err := x.Run(ctx, first, explore.Follow(nil))
	err = errors.Join(err, x.Close(context.WithoutCancel(ctx)))
	if unexplored(err) {
		return err, nil
	}
	return nil, err
}

// mostSpared is beyond what the orders of one command are of a daemon that spares them:
// a lock around its waits leaves 51.
const mostSpared = 200

// Spared says in words that nothing but its waiter takes a command's status from the
// candidate, in whatever order one command's events come; it is empty where something does,
// or may. Nobody can be made to come before such a waiter.
func (s *Session) Spared(ctx context.Context) (why string, err error) {
	x := s.explorer(s.asCandidate("spared").asked(), s.Candidate)
	contested := false
	found, err := x.Explore(ctx, explore.Shape("instant", 1, 1), explore.Bounds{
		Delays: search.NoBound, Orders: mostSpared,
		StopAt: func(run explore.Run) bool { contested = !run.Spares(); return contested },
	}, nil)
	err = errors.Join(err, x.Close(context.WithoutCancel(ctx)))
	switch {
	case unexplored(err):
		return "", nil
	case err != nil || contested || found.Delays < 1:
		return "", err
	}
	return "since nothing but its waiter takes a command's status (of one command, " +
		found.Tried() + ")", nil
}

func (x *exploring) all(ctx context.Context) error {
	for _, o := range x.Orders {
		first := o.Plan.Commands[0](0, load.Random(x.session.Seed, o.Kind, 0))
		if why := unsayable(first, x.target.Dialect); why != "" {
			x.note(o.Kind, "left out, since "+why)
			continue
		}
		searched, walks := x.share(o)
		found, err := x.explorer.Explore(ctx, o.Plan, explore.Bounds{
			Delays: search.NoBound, Orders: searched, Walks: walks, StopAt: x.ends,
		}, func(run explore.Run) { x.take(o.Kind, run) })
		if err != nil {
			return err
		}
		x.note(o.Kind, found.Tried())
		if x.bad != nil {
			if err := x.confirm(ctx, o); err != nil {
				return err
			}
			break
		}
	}
	x.last.Tried = inWords(x.tried)
	return x.recorder.Failed()
}

// tried is what came of the search for some kinds of orders, in words.
type tried struct {
	kinds []string
	what  string
}

// note adds a kind to those of which the same is to be said.
func (x *exploring) note(kind, what string) {
	for i := range x.tried {
		if x.tried[i].what == what {
			x.tried[i].kinds = append(x.tried[i].kinds, kind)
			return
		}
	}
	x.tried = append(x.tried, tried{[]string{kind}, what})
}

func inWords(all []tried) string {
	var parts []string
	for _, t := range all {
		kinds := strings.Join(t.kinds, ", ")
		if len(t.kinds) > 1 {
			kinds = "of each of " + kinds
		}
		parts = append(parts, kinds+": "+t.what)
	}
	return strings.Join(parts, "; ")
}

// share is how many orders of a kind are searched for, and how many random walks follow
// where these are not all.
func (x *exploring) share(o Order) (searched, walks int) {
	most := max(1, x.Trials/len(x.Orders))
	if o.Most > 0 {
		return min(most, o.Most), 0
	}
	walks = min(x.Walks, most-1)
	return most - walks, walks
}

// ends says whether an order ends the arm: the first bad one, or the first by which a
// baseline has shown its claim. One that merely hung shows nothing of a lost code.
func (x *exploring) ends(run explore.Run) bool {
	outcome, _ := summed(run)
	if x.UntilShown {
		return x.Claim.Shown(outcome)
	}
	return outcome != trial.OK
}

// take records an order, and keeps the one that ends the arm.
func (x *exploring) take(kind string, run explore.Run) {
	if x.ends(run) {
		x.bad = &run
		return
	}
	x.write(kind, run, "")
}

// repeats is how often a bad order is taken again before it is recorded.
const repeats = 3

// confirm takes the bad order again, and records it with what came of that.
func (x *exploring) confirm(ctx context.Context, o Order) error {
	again := 0
	for range repeats {
		run, err := x.explorer.Run(ctx, o.Plan, explore.Follow(search.Order(x.bad.Steps)))
		if err != nil && !errors.Is(err, explore.ErrRestless) {
			return err
		}
		if err == nil && run.Same(*x.bad) {
			again++
		}
	}
	index := x.write(o.Kind, *x.bad,
		fmt.Sprintf("; taken again, it ends the same way in %d of %d", again, repeats))
	if x.UntilShown {
		x.last.ShownBy = &index
	}
	return nil
}

// write records an order and returns its trial's index.
func (x *exploring) write(kind string, run explore.Run, note string) (index int) {
	outcome, why := summed(run)
	r := trial.Record{
		Index: x.next, Kind: kind, Outcome: outcome, Micros: run.Took.Microseconds(), Walk: run.Walk,
		AtMicros: (time.Since(x.began) - run.Took).Microseconds(), Order: run.Order(),
	}
	x.next++
	if r.Bad() {
		r.Command, r.Sent, r.Steps = run.Order(), time.Now().Add(-run.Took).UTC(), run.Drawn()
		r.Detail = fmt.Sprintf("%s out of turn%s: %s%s",
			printable.Plural(search.Cost(run.Steps), "event"), x.byChance(run), why, note)
	}
	x.keep(r)
	return r.Index
}

// byChance names a random walk.
func (x *exploring) byChance(run explore.Run) string {
	if run.Walk == 0 {
		return ""
	}
	return fmt.Sprintf(", met by random walk %d from seed %d", run.Walk, x.session.Seed)
}

// summed is what an order came to: the end of the target, or the first command that did
// not get what it was built to give.
func summed(run explore.Run) (trial.Outcome, string) {
	if run.Ended != "" {
		return trial.Error, "the target ended: " + run.Ended
	}
	for i, outcome := range run.Outcomes {
		if outcome != trial.OK {
			return outcome, run.Whys[i]
		}
	}
	return trial.OK, ""
}
