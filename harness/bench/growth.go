package bench

import (
	"context"
	"errors"
	"fmt"

	"github.com/reapcheck/reapcheck/harness/compare"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
)

// looks is how often memory is looked at while commands are executed.
const looks = 20

// growths looks at what commands leave behind in A, in A again, and in B, step by step
// in turn: what the machine does meanwhile meets all of them.
func (d *Duel) growths(ctx context.Context, report *compare.Report) (err error) {
	if d.Commands == 0 {
		report.LeftOut = append(report.LeftOut, "what commands leave behind")
		return nil
	}
	names := []string{"a", "again", "b"}
	growing := make([]*growing, len(names))
	for i, t := range []target.Target{d.A, d.A, d.B} {
		one, startErr := d.grow(ctx, "compare-leaks-"+names[i], t)
		if startErr != nil {
			return errors.Join(fmt.Errorf("start %s: %w", names[i], startErr),
				stopAll(ctx, growing))
		}
		growing[i] = one
	}
	defer func() { err = errors.Join(err, stopAll(ctx, growing)) }()
	for step := range looks {
		for i, g := range growing {
			err := g.step(ctx, &d.Bench, step, d.Commands/looks)
			if done, err := d.survived(ctx, report, i, err); done {
				return err
			}
		}
	}
	for i, g := range growing {
		if done, err := d.survived(ctx, report, i, g.conclude(ctx)); done {
			return err
		}
	}
	report.Leaks = compare.NewLeaks(growing[0].Growth, growing[1].Growth, growing[2].Growth)
	return nil
}

// survived says whether the look for leaks is over, and keeps why a daemon ended.
func (d *Duel) survived(ctx context.Context, report *compare.Report, i int,
	err error) (bool, error) {
	if err == nil {
		return false, nil
	}
	var end diedError
	if ctx.Err() != nil || !errors.As(err, &end) {
		return true, err
	}
	report.LeftOut = append(report.LeftOut, "what commands leave behind: a daemon ended")
	if i == 2 {
		report.DiedB = end.how
	} else {
		report.DiedA = end.how
	}
	return true, nil
}

// diedError is the end of a daemon.
type diedError struct{ how string }

func (e diedError) Error() string { return e.how }

// growing is a daemon and what it came to hold.
type growing struct {
	*daemon
	compare.Growth
	executed int
}

// grow starts a daemon and warms it up.
func (d *Duel) grow(ctx context.Context, name string, t target.Target) (*growing, error) {
	started, err := d.start(ctx, name, t, leakInFlight, sandbox.Front{})
	if err != nil {
		return nil, err
	}
	g := &growing{daemon: started}
	if _, err = d.execute(ctx, started, -leakWarmUp, 0); err == nil {
		g.Before, err = g.counts(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, started.stop(ctx))
	}
	return g, nil
}

// step executes some commands and looks at the memory.
func (g *growing) step(ctx context.Context, b *Bench, step, commands int) error {
	first := step * commands
	if _, err := b.execute(ctx, g.daemon, first, first+commands); err != nil {
		return g.orDied(ctx, err)
	}
	g.executed += commands
	memory, err := g.memory()
	if err != nil {
		return g.orDied(ctx, err)
	}
	g.Commands, g.Memory = append(g.Commands, g.executed), append(g.Memory, memory)
	return nil
}

func (g *growing) conclude(ctx context.Context) (err error) {
	g.After, err = g.counts(ctx)
	return g.orDied(ctx, err)
}

func (g *growing) orDied(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	how, err := g.survive(ctx, err)
	if how != "" {
		return diedError{how}
	}
	return err
}

// counts are what a daemon at rest holds beside memory.
func (g *growing) counts(ctx context.Context) (map[string]int, error) {
	f, err := g.rest(ctx)
	return map[string]int{
		"open files": f.Files, "threads": f.Threads, "processes": f.Processes, "zombies": f.Zombies,
	}, err
}

func stopAll(ctx context.Context, all []*growing) error {
	var errs []error
	for _, g := range all {
		if g != nil {
			errs = append(errs, g.stop(ctx))
		}
	}
	return errors.Join(errs...)
}
