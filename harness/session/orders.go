package session

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reapcheck/reapcheck/harness/explore"
	"github.com/reapcheck/reapcheck/harness/explore/search"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/speaker"
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

// parts is into how many an arm's kinds of orders are divided: each part has a target and a
// tracer of its own, which wait for each other most of the time and leave a CPU to another.
const parts = 2

// exploring is one part of an arm whose trials are orders.
type exploring struct {
	*runningArm
	*ledger
	explorer *explore.Explorer
	run      func(context.Context, explore.Plan, explore.Choose) (explore.Run, error)
	kinds    []Order
	ended    bool  // by an order
	failed   error // of what was done again
}

// ledger is what the parts of an arm keep together.
type ledger struct {
	mu    sync.Mutex
	next  int               // the next trial's index
	tried map[string]string // what came of the search for a kind, in words
	once  []string          // the orders that would have ended the arm, had they done so again
	over  atomic.Bool       // no further order is to be tried
}

// explore does all of the arm's trials: as many orders of each kind as of the others, and
// those with the fewest events out of turn first, and then random walks. It ends at the
// first bad one. A target that cannot be explored leaves the arm undecided.
func (a *runningArm) explore(ctx context.Context) error {
	a.began = time.Now()
	all := a.divide()
	errs := make([]error, len(all))
	var parts sync.WaitGroup
	for i, x := range all {
		parts.Go(func() {
			errs[i] = errors.Join(x.all(ctx), x.explorer.Close(context.WithoutCancel(ctx)))
			if errs[i] != nil {
				x.over.Store(true)
			}
		})
	}
	parts.Wait()
	a.last.Tried = all[0].inWords(a.Orders)
	if !slices.ContainsFunc(all, func(x *exploring) bool { return x.ended }) {
		a.last.Error = all[0].unsure()
	}
	for i, err := range errs {
		if unexplored(err) {
			a.last.Error, errs[i] = err.Error(), nil
		}
	}
	return errors.Join(errs...)
}

// divide is each part of the arm, which has every so many of its kinds: those that cost
// much stand side by side in the catalogue.
func (a *runningArm) divide() (all []*exploring) {
	shared := &ledger{tried: map[string]string{}}
	for part := range min(parts, len(a.Orders)) {
		spec := a.asked()
		spec.Name = fmt.Sprintf("%s-part%d", spec.Name, part+1)
		x := &exploring{
			runningArm: a, ledger: shared, explorer: a.session.explorer(spec, a.target),
		}
		x.run = x.explorer.Run
		for i := part; i < len(a.Orders); i += parts {
			x.kinds = append(x.kinds, a.Orders[i])
		}
		all = append(all, x)
	}
	return all
}

func (s *Session) explorer(spec sandbox.Spec, t target.Target) *explore.Explorer {
	spec.FaultPointsBinary = ""
	return &explore.Explorer{Runtime: s.Runtime, Hub: s.Hub, Spec: spec, Target: t, Seed: s.Seed,
		RestLimit: s.Patience(explore.UsualRest)}
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
	run, err := x.Run(ctx, first, explore.Follow(nil))
	err = errors.Join(err, x.Close(context.WithoutCancel(ctx)))
	if unexplored(err) {
		return err, nil
	}
	if err == nil && run.Forked > 0 {
		return errors.New(forks + ", and what is traced are the target's own children"), nil
	}
	if errors.Is(err, sandbox.ErrTarget) && s.starts(ctx) {
		return fmt.Errorf("since it does not start while it is traced: %w", err), nil
	}
	return nil, err
}

// starts says whether the candidate becomes ready with nobody in its way.
func (s *Session) starts(ctx context.Context) bool {
	_, err := s.visit(ctx, Arm{Name: "alone", Role: trial.Candidate}, s.Candidate, 1,
		func(sandbox.Sandbox, speaker.Speaker) error { return nil })
	return err == nil
}

func (x *exploring) all(ctx context.Context) error {
	for _, o := range x.kinds {
		if x.over.Load() {
			break
		}
		first := o.Plan.Commands[0](0, load.Random(x.session.Seed, o.Kind, 0))
		if why := unsayable(first, x.target.Dialect); why != "" {
			x.note(o.Kind, "left out, since "+why)
			continue
		}
		searched, walks := x.share(o)
		found, err := x.explorer.Explore(ctx, o.Plan, explore.Bounds{
			Delays: search.NoBound, Orders: searched, Walks: walks,
			StopAt: func(explore.Run) bool { return x.ended || x.failed != nil || x.over.Load() },
		}, func(run explore.Run) { x.take(ctx, o, run) })
		if err = errors.Join(err, x.failed); err != nil {
			return fmt.Errorf("%s: %w", o.Kind, err)
		}
		x.note(o.Kind, found.Tried())
		if x.ended {
			x.over.Store(true)
			break
		}
	}
	return x.recorder.Failed()
}

// note keeps what came of the search for a kind.
func (l *ledger) note(kind, what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tried[kind] = what
}

// index is that of the next trial.
func (l *ledger) index() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	return l.next - 1
}

// inWords says what was tried. What is the same of several kinds is said once.
func (l *ledger) inWords(orders []Order) string {
	var all []string
	kinds := map[string][]string{} // of which the same is to be said
	for _, o := range orders {
		what, noted := l.tried[o.Kind]
		if !noted {
			continue
		}
		if kinds[what] == nil {
			all = append(all, what)
		}
		kinds[what] = append(kinds[what], o.Kind)
	}
	for i, what := range all {
		of := strings.Join(kinds[what], ", ")
		if len(kinds[what]) > 1 {
			of = "of each of " + of
		}
		all[i] = of + ": " + what
	}
	if n := len(l.once); n > 0 {
		all = append(all, printable.Plural(n, "bad end")+
			" not met again with the same order, which proves nothing ("+l.once[0]+")")
	}
	return strings.Join(all, "; ")
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

// take records an order. One that would end the arm does so if it ends the same way when
// it is taken again; if not, it was not this order that decided, and it counts for nothing:
// on a busy machine a rest is seen now and then that is none.
func (x *exploring) take(ctx context.Context, o Order, run explore.Run) {
	if !x.ends(run) {
		x.write(o.Kind, run, "")
		return
	}
	again, err := x.again(ctx, o, run)
	if err != nil {
		x.failed = err
		return
	}
	if again < sure {
		x.onlyOnce(o.Kind, run.Order())
		return
	}
	index := x.write(o.Kind, run,
		fmt.Sprintf("; taken again, it ends the same way in %d of %d", again, repeats))
	x.ended = true
	if x.UntilShown {
		x.last.ShownBy = &index
	}
}

// repeats is how often a bad order is taken again before it is recorded, and sure how many
// of them end the same way at least. A bad order of a target whose events are all held ends
// so in each of 100 (docs/gate.md), and a rest that was none was seen to come again in 1 of
// 50.
const (
	repeats = 3
	sure    = 2
)

// again is how many of repeats end as a run did.
func (x *exploring) again(ctx context.Context, o Order, bad explore.Run) (same int, err error) {
	for range repeats {
		run, err := x.run(ctx, o.Plan, explore.Follow(search.Order(bad.Steps)))
		if err != nil && !errors.Is(err, explore.ErrRestless) {
			return 0, err
		}
		if err == nil && run.Same(bad) {
			same++
		}
	}
	return same, nil
}

// onlyOnce notes an order that would have ended the arm, had it ended so again.
func (l *ledger) onlyOnce(kind, order string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.once = append(l.once, kind+": "+order)
}

// mostOnce is how many orders may end badly just once: a busy machine is seen to have one
// in an arm. With more than that it is not known what decides.
const mostOnce = 3

// unsure says why the arm is undecided; it is empty where it is not.
func (l *ledger) unsure() string {
	if len(l.once) <= mostOnce {
		return ""
	}
	return fmt.Sprintf("%d orders ended badly and not so when they were taken again: something "+
		"decides that is no event of an order. The first is %s", len(l.once), l.once[0])
}

// write records an order and returns its trial's index.
func (x *exploring) write(kind string, run explore.Run, note string) (index int) {
	outcome, why := summed(run)
	r := trial.Record{
		Index: x.index(), Kind: kind, Outcome: outcome, Micros: run.Took.Microseconds(), Walk: run.Walk,
		AtMicros: (time.Since(x.began) - run.Took).Microseconds(), Order: run.Order(),
	}
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
