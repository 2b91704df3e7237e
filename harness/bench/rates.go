package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/reapcheck/reapcheck/fixtures/programs"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/owner"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
)

// Names of contestants that are no strategy.
const (
	// limit is the machine's own limit.
	limit = "limit"
	// noCommand is the daemon asked for nothing: what HTTP alone costs.
	noCommand = "no-command"
	// behindLauncher is registry with a launcher in front that holds nothing.
	behindLauncher = "registry-launcher"
)

// claimLevel is the number of requests in flight at which ratios are required.
const claimLevel = 8

// laps are the levels of one round, in requests in flight: the one that matters
// comes as often as all others together.
var laps = []int{claimLevel, 1, claimLevel, 64, claimLevel, 256}

// foreignLaps are those where someone's own daemon is measured: one that makes a
// thread for each connection need not take 256 of them.
var foreignLaps = []int{claimLevel, 1, claimLevel, 64}

func (s Scale) laps() []int {
	if s.foreign() {
		return foreignLaps
	}
	return laps
}

// widest is the highest level.
func (s Scale) widest() int { return slices.Max(s.laps()) }

// contestant is a contestant and the levels at which it is measured.
type contestant struct {
	name  string
	racer racer
	at    func(level int) bool
}

func everywhere(int) bool         { return true }
func atClaimLevel(level int) bool { return level == claimLevel }

// cell is what was measured of one contestant at one level.
type cell struct {
	name      string
	inFlight  int
	perSecond []float64 // by lap
	times     *hdrhistogram.Histogram
	outcomes  Outcomes
	why       string
	cost      Cost
}

func (c *cell) add(t turn) {
	c.perSecond = append(c.perSecond, t.perSecond())
	c.times.Merge(t.times)
	c.outcomes.add(t.outcomes)
	c.cost = c.cost.plus(t.cost)
	if c.why == "" {
		c.why = t.why
	}
}

// rates compares executions per second.
func (b *Bench) rates(ctx context.Context, report *Report) (err error) {
	folder, err := owner.MakeFolder("bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	all, stop, err := b.enter(ctx, folder, report)
	defer func() { err = errors.Join(err, stop()) }()
	if err != nil {
		return err
	}
	report.Died, err = whoDied(ctx, all, b.race(ctx, all, report))
	return err
}

// whoDied names those daemons that had to live and did not. Their end is what ended
// the race: a result, and no error.
func whoDied(ctx context.Context, all []contestant, err error) (died []string, _ error) {
	for _, c := range all {
		racer, ok := c.racer.(*daemonRacer)
		if !ok || !slices.Contains(right, c.name) {
			continue
		}
		how, lost := racer.survive(ctx, nil)
		if lost != nil {
			return nil, errors.Join(err, lost)
		}
		if how != "" {
			died = append(died, c.name+": "+how)
		}
	}
	if len(died) > 0 {
		return died, nil
	}
	return nil, err
}

// race warms up and lets the contestants compete.
func (b *Bench) race(ctx context.Context, all []contestant, report *Report) error {
	for _, c := range all { // connections, caches, the first growth of the heap
		if _, err := c.racer.turn(ctx, b.widest(), b.Turn); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	cells, err := b.compete(ctx, all)
	report.addRates(cells)
	if err == nil {
		report.Supervised, err = b.supervised(all)
	}
	return err
}

// enter starts all contestants. stop takes down those that were started, also
// on error.
func (b *Bench) enter(ctx context.Context, folder string, report *Report) (all []contestant,
	stop func() error, err error) {
	var daemons []*daemon
	stop = func() error {
		var errs []error
		for _, d := range daemons {
			errs = append(errs, d.stop(ctx))
		}
		return errors.Join(errs...)
	}
	add := func(name string, t target.Target, commands load.Source, at func(int) bool,
		front sandbox.Front) {
		if err != nil {
			return
		}
		var d *daemon
		if d, err = b.start(ctx, "bench-"+name, t, b.widest(), front); err == nil {
			daemons = append(daemons, d)
			all = append(all, contestant{name, &daemonRacer{daemon: d, commands: commands}, at})
		}
	}
	for _, strategy := range b.Strategies {
		add(strategy, b.target(strategy), load.Instant, everywhere, sandbox.Front{})
	}
	if slices.Contains(b.Strategies, registry) && !b.foreign() {
		add(behindLauncher, target.Reference(registry), load.Instant, atClaimLevel,
			b.Hub.Front("bench-"+behindLauncher))
	}
	add(noCommand, target.Reference(registry), refused, everywhere, sandbox.Front{})
	if err != nil {
		return all, stop, err
	}
	machine, err := compileLimit(ctx, folder, programs.SpawnLimit, b.Seed)
	if errors.Is(err, errNoCompiler) {
		report.LeftOut = append(report.LeftOut, "the machine's own limit: "+err.Error())
		return all, stop, nil
	}
	return append(all, contestant{limit, machine, everywhere}), stop, err
}

// compete lets the contestants take turns, in an order of its own in each lap, round by round
// until the time is up: a turn lasts until its last answer. Cells are returned on error too.
func (b *Bench) compete(ctx context.Context, all []contestant) ([]*cell, error) {
	cells, order := newCells(all, b.laps()), rand.New(rand.NewPCG(b.Seed, 0))
	said, began := time.Now(), time.Now()
	for round := 0; round == 0 || time.Since(began) < b.Length; round++ {
		for _, next := range schedule(all, b.laps(), order) {
			t, err := next.contestant.racer.turn(ctx, next.inFlight, b.Turn)
			if err != nil {
				return cells, fmt.Errorf("%s with %d in flight: %w", next.contestant.name,
					next.inFlight, err)
			}
			find(cells, next.contestant.name, next.inFlight).add(t)
			if time.Since(said) > progressInterval {
				said = time.Now()
				b.Progress.Say("rates: round %d, %v of %v", round+1,
					time.Since(began).Round(time.Second), b.Length)
			}
		}
	}
	return cells, nil
}

// progressInterval is how often a long part says how far it is.
const progressInterval = 5 * time.Second

// placed is one turn in the schedule.
type placed struct {
	contestant contestant
	inFlight   int
}

// schedule lays out the turns of a round: lap by lap, and in each lap every contestant once,
// in an order drawn anew.
func schedule(all []contestant, laps []int, r *rand.Rand) []placed {
	var plan []placed
	for _, level := range laps {
		for _, i := range r.Perm(len(all)) {
			if all[i].at(level) {
				plan = append(plan, placed{all[i], level})
			}
		}
	}
	return plan
}

// newCells makes a cell for each contestant at each of its levels, in the order
// of a report.
func newCells(all []contestant, laps []int) []*cell {
	levels := slices.Clone(laps)
	slices.Sort(levels)
	var cells []*cell
	for _, level := range slices.Compact(levels) {
		for _, c := range all {
			if c.at(level) {
				cells = append(cells, &cell{
					name:     c.name,
					inFlight: level,
					times:    newTimes(),
					outcomes: Outcomes{},
				})
			}
		}
	}
	return cells
}

// find returns the cell, or nil where that was not measured.
func find(cells []*cell, name string, inFlight int) *cell {
	for _, c := range cells {
		if c.name == name && c.inFlight == inFlight {
			return c
		}
	}
	return nil
}

// supervised is how many calls the harness was asked about: a launcher that was
// not in front costs nothing. It is zero where none was to be.
func (b *Bench) supervised(all []contestant) (int64, error) {
	for _, c := range all {
		if c.name != behindLauncher {
			continue
		}
		supervisor, err := b.Hub.Supervisor("bench-" + behindLauncher)
		if err != nil {
			return 0, err
		}
		counts, err := supervisor.Counts()
		calls := counts.Waits + counts.Looks + counts.Takes + counts.Peeks + counts.Others
		if err == nil && calls == 0 {
			err = errors.New("the launcher was in front of a daemon and was not asked once")
		}
		return calls, err
	}
	return 0, nil
}
