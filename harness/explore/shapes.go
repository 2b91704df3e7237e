package explore

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Shapes are what can be asked of a target in each order, by name. The first of the
// commands is that of all.
var Shapes = map[string]Plan{
	"instant":   {Commands: []load.Source{load.Instant}},
	"output":    {Commands: []load.Source{load.Bulk}, Data: true},
	"not-found": {Commands: []load.Source{notFound}},
	"hang-up":   {Commands: []load.Source{load.Instant}, HangUp: true},
	"timeout":   {Commands: []load.Source{timedOut}},
	"reuse":     {Commands: []load.Source{load.Instant}, Reuse: true},
}

// ShapeNames is a list of them in words.
func ShapeNames() string { return strings.Join(slices.Sorted(maps.Keys(Shapes)), ", ") }

// Shape is the plan of that name for so many commands, in which time may pass so often.
func Shape(name string, commands, times int) Plan {
	plan := Shapes[name]
	plan.Times = times
	plan.Commands = slices.Repeat(plan.Commands, commands)
	return plan
}

// notFound asks for a program that is not there.
func notFound(_ int, r *rand.Rand) load.Command {
	const place = 2 // in load.Seeded
	return load.Seeded(place, r)
}

// timedOut outlives its limit for ever.
func timedOut(index int, r *rand.Rand) load.Command {
	c := load.UntilTerminated(index, r)
	c.Timeout = 100 * time.Millisecond
	c.Want = trial.Want{Timeout: true, AnyOutput: true}
	return c
}
