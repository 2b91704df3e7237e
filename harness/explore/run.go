package explore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/explore/event"
	"github.com/reapcheck/reapcheck/harness/explore/search"
	"github.com/reapcheck/reapcheck/harness/explore/tracer"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Run is one order that was tried.
type Run struct {
	Steps []search.Step
	// Walk is its number where it was a random walk, from 1.
	Walk int
	// Outcomes are the commands', and Whys say in words why one is not ok.
	Outcomes []trial.Outcome
	Whys     []string
	Answers  []trial.Answer
	// Ended says how the target ended if it did.
	Ended   string
	Threads int
	// PIDs are the numbers of the processes that the target started, as it counts.
	PIDs    []int
	Stops   int
	Took    time.Duration
	Untimed []string // calls by which real time got into the target
	Forked  int      // how many of its processes had executed no program when the answers came
	Rivals  int      // how often something but its waiter took a command's status
}

// Order is the names of the choices, with a space between them. It ends where nothing was left
// but to let time pass until the target was given up.
func (r Run) Order() string {
	order := search.Order(r.Steps)
	for last := len(order) - 1; last > 0 && r.Hung() && idles(r.Steps[last]); last-- {
		order = order[:last]
	}
	return strings.Join(order, " ")
}

// idles says that nothing could be next but time, or one more look of who polls.
func idles(s search.Step) bool {
	name, err := event.Parse(s.Chosen)
	return err == nil && len(s.Options) == 1 && (isTime(s) || name.Kind.Polls())
}

func isTime(s search.Step) bool { return strings.HasPrefix(s.Chosen, string(event.Time)) }

// Same says whether two runs made the same choices, with the same outcome. How often time
// had to pass by itself before a target was given up is no choice.
func (r Run) Same(other Run) bool {
	return r.Outcome() == other.Outcome() && slices.Equal(r.choices(), other.choices())
}

func (r Run) choices() []string {
	var names []string
	for _, s := range r.Steps {
		if forced := len(s.Options) == 1 && isTime(s); !forced {
			names = append(names, s.Chosen)
		}
	}
	return names
}

// Bad says that some command did not get what it was built to give.
func (r Run) Bad() bool {
	return r.Ended != "" || slices.ContainsFunc(r.Outcomes, func(o trial.Outcome) bool { return o != trial.OK })
}

// Hung says that the answer of some command did not come.
func (r Run) Hung() bool { return slices.Contains(r.Outcomes, trial.Hung) }

// Outcome is that of all commands in one text.
func (r Run) Outcome() string {
	words := make([]string, len(r.Outcomes))
	for i, o := range r.Outcomes {
		words[i] = string(o)
	}
	if r.Ended != "" {
		words = append(words, "target ended")
	}
	return strings.Join(words, " ")
}

// running is one run under way.
type running struct {
	*Explorer
	plan    Plan
	choose  Choose
	clients *clients
	queue   queue
	asked   int
	early   bool // the next command has passed its turn as soon as a number was free
	rushed  int  // what the reaper was held with when a command was last let end
	times   int
	passed  time.Duration // of the target's time
	idle    time.Duration // that has passed since there was news for the target
	polls   int           // steps in which it was let look again; patience bounds them
	arrived int64
	gone    int  // clients that the target must have seen go
	deaf    bool // it has no eye on them
	told    bool // to stop
	set     bool // the wall clock
	now     tracer.Rest
	result  Run
}

// Run takes one order. The error is not the target's doing, but for ErrRestless; a
// target that hung or ended is started afresh for the next run.
func (x *Explorer) Run(ctx context.Context, plan Plan, choose Choose) (Run, error) {
	if x.sandbox == nil {
		if err := x.start(ctx); err != nil {
			return Run{}, err
		}
		if run, err := x.first(ctx); err != nil || x.sandbox == nil {
			return run, err
		}
	}
	return x.once(ctx, plan, choose)
}

// first is the target's first command of all, which may be another than those after it: Go
// tries out what the kernel can do.
func (x *Explorer) first(ctx context.Context) (Run, error) {
	beside, err := probe.Look(x.sandbox.PID())
	if err != nil {
		return Run{}, err
	}
	run, err := x.once(ctx, Plan{Commands: []load.Source{load.Instant}}, Follow(nil))
	switch {
	case err != nil || len(run.PIDs) > 0 || run.Ended != "":
		return run, err
	case x.sandbox != nil:
		return run, errors.Join(errElsewhere, x.stop(ctx))
	case len(beside.Others()) > 0: // and the answer has not come in time
		return run, errElsewhere
	}
	return run, nil
}

// errElsewhere is a target whose commands are not its own children.
var errElsewhere = fmt.Errorf("%w: the process that was started leaves commands to another, "+
	"which is not traced; start a daemon without the init or the wrapper in front of it", ErrDeclined)

// once is Run on a target that is ready.
func (x *Explorer) once(ctx context.Context, plan Plan, choose Choose) (Run, error) {
	began := time.Now()
	x.runs++
	r := &running{Explorer: x, plan: plan, choose: choose, clients: newClients()}
	err := r.run(ctx)
	r.clients.giveUp()
	x.asking.Wait()
	r.judge()
	r.result.Took = time.Since(began)
	if err != nil || r.result.Ended != "" || r.result.Hung() || r.told {
		err = errors.Join(err, x.stop(ctx))
	}
	return r.result, err
}

func (r *running) run(ctx context.Context) error {
	if err := r.tracer.Begin(r.plan.Watch); err != nil {
		return err
	}
	r.now = r.base
	err := errors.Join(r.tick(), r.ask(ctx))
	for err == nil && r.plan.Together && r.asked < len(r.plan.Commands) && r.result.Ended == "" {
		if err = r.look(ctx); err == nil && r.result.Ended == "" {
			err = r.ask(ctx)
		}
	}
	if err == nil {
		err = r.untilAnswered(ctx)
	}
	r.result.Stops, r.result.Threads, r.result.Untimed = r.now.Stops, r.now.Threads, r.now.Untimed
	r.result.Rivals, r.result.Forked = r.now.Rivals, r.now.Forked
	if r.told && (err == nil || errors.Is(err, errHung)) {
		r.result.Ended = "" // or never: it is another scenario's whether it ends well
		return nil
	}
	if errors.Is(err, errHung) || r.result.Ended != "" {
		return nil
	}
	err = errors.Join(err, r.tracer.End())
	if err == nil {
		r.base, err = r.settle(ctx)
	}
	return err
}

// untilAnswered makes one choice after the other until the last answer has come.
func (r *running) untilAnswered(ctx context.Context) error {
	for {
		if err := r.look(ctx); err != nil || r.result.Ended != "" {
			return err
		}
		if r.over() {
			return nil
		}
		if err := r.step(ctx); err != nil {
			return err
		}
	}
}

// over says whether the last answer has come. What a client has abandoned goes on until
// nothing is held.
func (r *running) over() bool {
	abandoned := r.gone > r.base.Left && len(r.queue.held) > 0
	return r.asked == len(r.plan.Commands) && len(r.clients.waiting()) == 0 && !abandoned
}

// mostShort is how many short timers are over at once at one rest. A target that polls
// sets one after the other. Where nothing is held there may be more of them, before time
// passes by a longer one: Python's threads wait for its lock 5 ms at a time.
const (
	mostShort      = 3
	mostShortAlone = 50
)

// look waits until everybody is held or asleep, and has read what was sent to them.
func (r *running) look(ctx context.Context) (err error) {
	for i := 0; ; i++ {
		clients := tracer.Clients{Arrived: r.arrived, Gone: r.toSee(), Acts: r.acts}
		if r.now, err = r.rest(ctx, clients); err != nil {
			return err
		}
		r.deaf = r.deaf || r.now.Deaf
		r.result.PIDs = r.now.PIDs
		if r.result.Ended = r.now.Ended; r.result.Ended != "" {
			return nil
		}
		if err := r.clients.settle(ctx, r.base, r.now); err != nil {
			return err
		}
		most := mostShort
		if len(r.now.Held) == 0 {
			most = mostShortAlone
		}
		if i >= most || len(r.now.Timers) == 0 || r.now.Timers[0] >= shortTimer {
			break
		}
		if err := r.advance(r.now.Timers[0]); err != nil {
			return err
		}
	}
	r.queue.update(r.now.Held)
	return nil
}

func (r *running) advance(by time.Duration) error {
	r.passed += by
	return r.tracer.Advance(by)
}

func (r *running) release(index int) error {
	h := r.queue.take(index)
	if h.Name.Kind == event.Exit {
		r.rushed = r.reaper()
	}
	return r.tracer.Release(h.ID)
}

// patience is for how long of its own time a target may say nothing, with nothing held
// that it could be told.
const patience = 10 * time.Second

func (r *running) step(ctx context.Context) error {
	options := r.options()
	if len(options) == 0 {
		by, ok := nextTimer(r.now.Timers)
		if r.idle += by; !ok || r.idle > patience {
			return r.hung()
		}
		options = []option{{name: timeName(by), do: func(context.Context) error { return r.advance(by) }}}
	} else if len(options) > 1 || !options[0].name.Kind.Polls() {
		r.idle = 0
	}
	names := make([]string, len(options))
	for i, o := range options {
		names[i] = o.name.String()
	}
	chosen := r.choose(search.Order(r.result.Steps), names)
	next := search.Step{Options: names, Chosen: names[chosen]}
	last := len(r.result.Steps) - 1
	if timed := last >= 0 && isTime(r.result.Steps[last]); idles(next) && (timed || isTime(next)) {
		r.polls++
	}
	r.result.Steps = append(r.result.Steps, next)
	if len(r.result.Steps)-r.polls > mostSteps {
		return fmt.Errorf("%w: it has not answered after %d events, of which the last are %q", ErrRestless,
			mostSteps, search.Order(r.result.Steps[last-4:]))
	}
	return options[chosen].do(ctx)
}

// errHung means that no answer can come any more.
var errHung = errors.New("hung")

// hung is that no answer can come any more, unless it would come by a time that is not the
// tracer's.
func (r *running) hung() error {
	if len(r.now.Untimed) > 0 {
		return fmt.Errorf("%w: it waits for a time that it takes by %s", ErrDeclined,
			strings.Join(r.now.Untimed, ", "))
	}
	return errHung
}

// mostSteps bounds a run: the longest of the orders of two commands has some 30 events.
const mostSteps = 500

// toSee is how many clients the target must have seen go at the next rest.
func (r *running) toSee() int {
	if r.deaf {
		return 0
	}
	return r.gone
}

// hangUp makes a client go. The next rest is one that has seen it.
func (r *running) hangUp(ctx context.Context, number int) error {
	r.gone = max(r.gone, r.base.Left) + 1
	r.acts++
	return r.clients.hangUp(ctx, number)
}

// terminate tells the target to stop. It is of no use to the next run.
func (r *running) terminate(context.Context) error {
	r.told = true
	return r.tracer.Terminate()
}

// askNext sends the next command, with the number of the last one where that is wanted.
func (r *running) askNext(ctx context.Context) error {
	setter, ok := r.sandbox.(sandbox.PIDSetter)
	if r.plan.Reuse && ok && r.now.Last > 0 {
		if err := setter.SetNextPID(ctx, r.now.Last); err != nil {
			return fmt.Errorf("%w: choose a process ID: %w", ErrDeclined, err)
		}
	}
	r.early = false
	return r.ask(ctx)
}

// ask sends the next command. The target has it when it has read the last byte.
func (r *running) ask(ctx context.Context) error {
	source := r.plan.Commands[r.asked]
	r.asked++
	r.acts++
	command := source(r.runs, load.Random(r.Seed, fmt.Sprintf("orders-%d", r.asked), r.runs))
	r.clients.ask(ctx, r.Explorer, command)
	sent, err := r.clients.sent(ctx)
	r.arrived = r.base.Received + sent
	return err
}

func (r *running) judge() {
	for _, d := range r.clients.dialogs {
		if r.passed < d.command.Timeout && len(r.now.Untimed) == 0 {
			d.command.Want.MayTimeout = false // it cannot have come by the target's clock
		}
		outcome, why := trial.Classify(r.Target.Dialect.Want(d.command.Want), d.answer)
		if r.told && outcome != trial.Lost && outcome != trial.Wrong {
			outcome, why = trial.OK, ""
		}
		r.result.Answers = append(r.result.Answers, d.answer)
		r.result.Outcomes = append(r.result.Outcomes, outcome)
		r.result.Whys = append(r.result.Whys, why)
	}
}
