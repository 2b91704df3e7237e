package explore

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/explore/event"
	"github.com/reapcheck/reapcheck/harness/explore/tracer"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Plan is what is asked of the target in each run.
type Plan struct {
	// Commands are asked for, each on a connection of its own: the first one at the
	// beginning, each other when its turn comes.
	Commands []load.Source
	// Times is how often time may pass as a choice. It passes by itself when nothing
	// else is left.
	Times int
	// HangUp makes the going away of the first client before its answer an event. Watch
	// are more of them.
	HangUp bool
	// Terminate makes SIGTERM to the target an event, while an answer is still to come. Who
	// is told to stop owes none, but none that is wrong.
	Terminate bool
	// Sets makes it an event, once, that the wall clock is set: Ahead or Back. A machine that
	// is resumed from a snapshot, or asks for the time late, has that done to it.
	Sets  event.Kind
	Watch tracer.Watch
	// Together asks for all commands before anything is let go.
	Together bool
	// Late are the kinds of events that have the last turns, in this order.
	Late []event.Kind
	// Rush gives the first turn to SIGCHLD, and to one command's end each time that the
	// reaper is held with something new. What the target does once in a while begins with
	// the run.
	Rush bool
	// Reuse gives each command but the first the process ID of the one before it, or of
	// the orphan that it left, if the sandbox lets one choose. It is asked for as soon as
	// that number is free, unless that is passed over.
	Reuse bool
}

// Shapes are what can be asked of a target in each order, by name. Where more commands are
// wanted than a shape has, its last one is repeated.
var Shapes = map[string]Plan{
	"instant":    {Commands: commands(load.Instant)},
	"late-start": {Commands: commands(load.Instant), Late: late(event.Start)},
	"late-end":   {Commands: commands(load.Instant), Late: late(event.EOF)},
	"together": {
		Commands: commands(load.Instant, load.Instant), Together: true,
		Late: late(event.EOF),
	},
	"rush": {
		Commands: slices.Repeat(commands(load.Instant), 4), Together: true, Rush: true,
		Late: late(event.Exit), Watch: tracer.Watch{Empty: true},
	},
	"output": {
		Commands: commands(load.Bulk), Watch: tracer.Watch{Data: true},
		Late: late(event.Data, event.EOF),
	},
	"not-found": {Commands: commands(notFound)},
	"hang-up":   {Commands: commands(load.Instant), HangUp: true},
	"one-goes": {
		Commands: commands(load.Instant, load.Instant), Together: true, HangUp: true,
		Late: late(event.Exit),
	},
	"stop": {
		Commands: commands(load.Instant), Terminate: true,
		Late: late(event.Exit, event.Start, event.Signal, event.Peek, event.Take, event.Wait,
			event.Waited, event.EOF),
	},
	"timeout":     {Commands: commands(timedOut)},
	"in-time":     {Commands: commands(inTime)},
	"one-in-time": {Commands: commands(inTime, timedOut), Late: late(event.EOF)},
	"clock-ahead": {
		Commands: commands(inAnHour), Sets: event.Ahead,
		Late: late(event.Exit, event.EOF),
	},
	"clock-back": {Commands: commands(timedOut), Sets: event.Back},
	"orphan":     {Commands: commands(orphan), Watch: tracer.Watch{Orphans: true}},
	"reuse": {
		Commands: commands(load.Instant, load.Instant), Reuse: true,
		Late: late(event.EOF, event.Exit, event.Ask),
	},
	"reuse-failed": {
		Commands: commands(tooLong, load.Instant), Reuse: true,
		Late: late(event.Start, event.Ask),
	},
	"reuse-orphan": {
		Commands: commands(orphan, load.Instant), Reuse: true,
		Watch: tracer.Watch{Orphans: true},
	},
	"reuse-lasting": {
		Commands: commands(inTime, lasting), Reuse: true, HangUp: true, Late: late(event.EOF),
	},
}

func late(kinds ...event.Kind) []event.Kind { return kinds }

func commands(all ...load.Source) []load.Source { return all }

// ShapeNames is a list of them in words.
func ShapeNames() string { return strings.Join(slices.Sorted(maps.Keys(Shapes)), ", ") }

// Shape is the plan of that name for at least so many commands, in which time may pass so
// often.
func Shape(name string, commands, times int) Plan {
	plan := Shapes[name]
	plan.Times = times
	plan.Commands = slices.Clone(plan.Commands)
	for len(plan.Commands) < commands {
		plan.Commands = append(plan.Commands, plan.Commands[len(plan.Commands)-1])
	}
	return plan
}

// notFound asks for a program that is not there.
func notFound(_ int, r *rand.Rand) load.Command {
	const place = 2 // in load.Seeded
	return load.Seeded(place, r)
}

// tooLong cannot be executed by who gives it as an argument (execve(2), MAX_ARG_STRLEN),
// which shows after the fork. What is answered is not judged here: some daemons read no
// request of that length.
func tooLong(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	const most = 128 << 10
	c.Script = fmt.Sprintf(": %s; %s", strings.Repeat("x", most), c.Script)
	c.Want = trial.Want{Anything: true}
	return c
}

// shortLimit is that of a command. The clock that it runs out by is the tracer's.
const shortLimit = 100 * time.Millisecond

// timedOut outlives its limit for ever.
func timedOut(index int, r *rand.Rand) load.Command {
	c := load.UntilTerminated(index, r)
	c.Timeout = shortLimit
	c.Want = trial.Want{Timeout: true, AnyOutput: true}
	return c
}

// lasting is so for longer than another's limit.
func lasting(index int, r *rand.Rand) load.Command {
	c := timedOut(index, r)
	c.Timeout *= 3
	return c
}

// inTime ends by itself, whether or not its limit comes first.
func inTime(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	c.Timeout = shortLimit
	c.Want.MayTimeout = true
	return c
}

// inAnHour has that long, which passes for who takes the time from a clock that can be set.
func inAnHour(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	c.Timeout = time.Hour
	return c
}

// orphan leaves a process behind that has another exit code.
func orphan(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	const other = 1
	c.Request = dialect.Request{Script: fmt.Sprintf("(exit %d) >/dev/null 2>&1 & %s",
		(c.Want.Code+other)%256, c.Script)}
	return c
}
