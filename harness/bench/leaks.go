package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/parallel"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Leak is what a daemon holds before and after a great many commands.
type Leak struct {
	Strategy string   `json:"strategy"`
	Commands int      `json:"commands"`
	Before   Figures  `json:"before"`
	After    Figures  `json:"after"`
	Outcomes Outcomes `json:"outcomes"`
	Why      string   `json:"why,omitempty"`
	// Died says how the daemon ended, where it did not survive.
	Died string `json:"died,omitempty"`
}

const (
	leakInFlight = 64
	// leakWarmUp is how many commands come before the first look: a Go process
	// has by then as many threads as the load needs.
	leakWarmUp = 2000
	warmUpStep = leakWarmUp / 8
	// spareThreads is by how many the threads may still grow. Go starts one when
	// all others are in system calls, which a busy machine brings about now and
	// then, and keeps it.
	spareThreads = 4
)

// judged is the daemon of which something is required.
func (s Scale) judged() string {
	if s.foreign() {
		return Candidate
	}
	return registry
}

// leaks looks at each daemon, and the longest at the one that is judged.
func (b *Bench) leaks(ctx context.Context, report *Report) error {
	if !slices.Contains(b.Strategies, b.judged()) {
		report.LeftOut = append(report.LeftOut,
			"what commands leave behind: strategy registry was not chosen")
	}
	for i, strategy := range b.Strategies {
		l, err := b.leak(ctx, strategy, b.budget(i))
		if err != nil {
			return fmt.Errorf("%s: %w", strategy, err)
		}
		report.Leaks = append(report.Leaks, l)
	}
	return nil
}

// leakCommands is how many of so many a daemon executes: one that is shown for comparison a tenth.
func (s Scale) leakCommands(strategy string, commands int) int {
	if strategy == s.judged() {
		return commands
	}
	return max(1, commands/10)
}

// budget is what the daemon at that place of Strategies may use up: its number of commands, and
// its share of the time that is left. Shares go by the numbers of the daemons that still come.
func (b *Bench) budget(at int) budget {
	own := budget{most: b.leakCommands(b.Strategies[at], b.Commands)}
	own.least = min(own.most, b.leakCommands(b.Strategies[at], leastCommands))
	if b.Until.IsZero() {
		return own
	}
	all := 0
	for _, s := range b.Strategies[at:] {
		all += b.leakCommands(s, b.Commands)
	}
	own.until = time.Now().Add(time.Until(b.Until) * time.Duration(own.most) / time.Duration(all))
	return own
}

// budget bounds how many commands a look for leaks executes.
type budget struct {
	least, most int
	until       time.Time // zero: as many as most
}

// commands are as many as the budget allows for, after so many took so long.
func (b budget) commands(done int, took, left time.Duration) int {
	if b.until.IsZero() {
		return b.most
	}
	fit := float64(done) * left.Seconds() / took.Seconds()
	return int(min(max(fit, float64(b.least)), float64(b.most)))
}

func (b *Bench) leak(ctx context.Context, strategy string, within budget) (l Leak, err error) {
	l = Leak{Strategy: strategy, Outcomes: Outcomes{}}
	d, err := b.start(ctx, "bench-leaks-"+strategy, b.target(strategy), leakInFlight,
		sandbox.Front{})
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, d.stop(ctx)) }()
	l.Died, err = d.survive(ctx, b.leave(ctx, d, &l, within))
	return l, err
}

// leave looks before the commands and after them. How fast the daemon warms up tells how many
// there is time for.
func (b *Bench) leave(ctx context.Context, d *daemon, l *Leak, within budget) (err error) {
	warm, took, err := b.warmUp(ctx, d, within)
	if err != nil {
		return err
	}
	l.Commands = within.commands(warm, took, time.Until(within.until))
	if l.Commands < within.most {
		b.Progress.Say("%s: %.0f commands a second: looking at what %d of them leave, not %d",
			d.Name(), float64(warm)/took.Seconds(), l.Commands, within.most)
	}
	if l.Before, err = d.rest(ctx); err != nil {
		return err
	}
	came, err := b.execute(ctx, d, 0, l.Commands)
	l.Outcomes, l.Why = came.outcomes, came.why
	if err != nil {
		return err
	}
	d.client.Idle()
	l.After, err = d.settle(ctx, func(f Figures) bool { return len(l.more(f)) == 0 })
	return err
}

// warmUp executes as many commands as a daemon needs to come to its size, unless a quarter of
// the time is over before, and says how many and how long they took.
func (b *Bench) warmUp(ctx context.Context, d *daemon, within budget) (done int,
	took time.Duration, err error) {
	began := time.Now()
	quarter := time.Until(within.until) / 4
	for done == 0 || done < leakWarmUp && (within.until.IsZero() || took < quarter) {
		if _, err = b.execute(ctx, d, done-leakWarmUp, done-leakWarmUp+warmUpStep); err != nil {
			return done, took, err
		}
		done, took = done+warmUpStep, time.Since(began)
	}
	return done, took, nil
}

// execute runs the commands with the indices from first to last-1.
func (b *Bench) execute(ctx context.Context, d *daemon, first, last int) (*answers, error) {
	came := newAnswers()
	began, said := time.Now(), time.Now()
	for step := leakWarmUp; first < last; first += step {
		end := min(first+step, last)
		if _, err := parallel.Do(ctx, first, end, leakInFlight,
			func(i int) { d.execute(ctx, orphaning, i, deadline, came) }); err != nil {
			return came, err
		}
		if err := d.ended(); err != nil {
			return came, err
		}
		if end > 0 && time.Since(said) > progressInterval {
			said = time.Now()
			b.Progress.Say("%s: %d of %d commands, %.0f/s", d.Name(), end, last,
				float64(came.times.TotalCount())/time.Since(began).Seconds())
		}
	}
	return came, nil
}

// orphaning leaves an orphan with every tenth command.
func orphaning(index int, r *rand.Rand) load.Command {
	if index%10 == 0 {
		return load.Forks(index, r)
	}
	return load.Instant(index, r)
}

// more names what there is more of than before, beyond what may be.
func (l Leak) more(now Figures) []string {
	var found []string
	for _, c := range []struct {
		what             string
		before, now, may int
	}{
		{"open files", l.Before.Files, now.Files, 0},
		{"goroutines", l.Before.Goroutines, now.Goroutines, 0},
		{"threads", l.Before.Threads, now.Threads, spareThreads},
		{"processes", l.Before.Processes, now.Processes, 0},
		{"zombies", l.Before.Zombies, now.Zombies, 0},
		{"registered", l.Before.Registered, now.Registered, 0},
		{"cached", l.Before.Cached, now.Cached, 0},
	} {
		if c.now > c.before+c.may {
			found = append(found, fmt.Sprintf("%d %s, %d before", c.now, c.what, c.before))
		}
	}
	return found
}
