package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/reapcheck/reapcheck/harness/compare"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
)

// Duel measures two daemons in turn, for package compare to judge. Its Scale says how
// long a turn lasts, and how many Commands come before the look for leaks.
type Duel struct {
	Bench
	A, B target.Target
	// Rounds is how often fresh instances are started, two of each side.
	Rounds int
	// InFlight is how many requests are in flight.
	InFlight int
}

// roundLaps is how many turns each instance has in a round, behind one that warms up.
const roundLaps = 4

// Takes is about how long a duel lasts where a plain command and the start of a sandbox
// take so long.
func (d *Duel) Takes(command, start time.Duration) time.Duration {
	round := time.Duration(instances)*(start+(roundLaps+1)*d.Turn) + 200*time.Millisecond
	return time.Duration(d.Rounds)*round + time.Duration(3*(d.Commands+leakWarmUp))*command
}

// instances are two of each side.
const instances = 4

// side is what was measured of one instance in all rounds.
type side struct {
	rate, p50, p99, cpu, memory []float64
}

// Fight fills in what was measured. A daemon that ends is in the report, and no error.
func (d *Duel) Fight(ctx context.Context, report *compare.Report) error {
	report.InFlight = d.InFlight
	var sides [instances]side
	latencies := [2]*hdrhistogram.Histogram{newTimes(), newTimes()}
	order := rand.New(rand.NewPCG(d.Seed, 1))
	for round := range d.Rounds {
		turns, died, err := d.round(ctx, round, order)
		if err != nil {
			return fmt.Errorf("round %d: %w", round+1, err)
		}
		for i, t := range turns {
			addAnswers(&report.Answers, i, t)
			latencies[i/2].Merge(t.times)
		}
		if died != [2]string{} {
			report.DiedA, report.DiedB = died[0], died[1]
			return nil
		}
		for i, t := range turns {
			sides[i].add(t)
		}
		d.Progress.Say("round %d of %d: A %.0f and %.0f a second, B %.0f and %.0f", round+1,
			d.Rounds,
			turns[0].perSecond(), turns[1].perSecond(), turns[2].perSecond(), turns[3].perSecond())
	}
	for _, f := range figures(sides) {
		report.Differences = append(report.Differences, f.Judge(report.Tolerate))
	}
	report.Latencies = percentiles(latencies)
	return d.growths(ctx, report)
}

// sum is all that an instance did in one round.
type sum struct {
	turn
	memory int
}

// round starts all instances afresh and lets them take turns.
func (d *Duel) round(ctx context.Context, round int, order *rand.Rand) (sums [instances]sum,
	died [2]string, err error) {
	var racers [instances]*daemonRacer
	defer func() {
		for _, r := range racers {
			if r != nil {
				err = errors.Join(err, r.stop(ctx))
			}
		}
	}()
	for i := range racers {
		started, err := d.start(ctx, fmt.Sprintf("compare-%s-%d", instanceName(i), round),
			d.side(i), d.InFlight, sandbox.Front{})
		if err != nil {
			return sums, died, fmt.Errorf("start %s: %w", instanceName(i), err)
		}
		racers[i] = &daemonRacer{daemon: started, commands: load.Instant}
		sums[i].turn = turn{times: newTimes(), outcomes: Outcomes{}}
	}
	if died, err = d.laps(ctx, order, &racers, &sums); err != nil || died != [2]string{} {
		return sums, died, err
	}
	for i := range racers {
		if sums[i].memory, err = racers[i].memory(); err != nil {
			return sums, died, err
		}
	}
	return sums, died, nil
}

// laps lets the instances take turns, and adds up what they do. It ends early, without an
// error, when one of them has died.
func (d *Duel) laps(ctx context.Context, order *rand.Rand, racers *[instances]*daemonRacer,
	sums *[instances]sum) (died [2]string, err error) {
	for lap := range roundLaps + 1 {
		for _, i := range order.Perm(instances) {
			t, err := racers[i].turn(ctx, d.InFlight, d.Turn)
			how, err := racers[i].survive(ctx, err)
			if how != "" {
				died[i/2] = how
				return died, nil
			}
			if err != nil {
				return died, fmt.Errorf("%s: %w", instanceName(i), err)
			}
			if lap > 0 { // the first one warms up
				sums[i].turn = sums[i].plus(t)
			}
		}
	}
	return died, nil
}

func instanceName(i int) string { return []string{"a1", "a2", "b1", "b2"}[i] }

func (d *Duel) side(i int) target.Target {
	if i < 2 {
		return d.A
	}
	return d.B
}

// plus takes another turn in.
func (t turn) plus(more turn) turn {
	t.times.Merge(more.times)
	t.outcomes.add(more.outcomes)
	t.took += more.took
	t.cost = t.cost.plus(more.cost)
	if t.why == "" {
		t.why = more.why
	}
	return t
}

// memory is what the daemon's own processes hold.
func (d *daemon) memory() (bytes int, err error) {
	for _, own := range d.own {
		p, err := probe.LookAt(own.PID)
		if err != nil {
			return 0, errors.Join(err, d.ended())
		}
		bytes += p.RSS
	}
	return bytes, nil
}

func (s *side) add(t sum) {
	executed := max(1, t.outcomes.Total())
	s.rate = append(s.rate, max(0.001, t.perSecond()))
	s.p50 = append(s.p50, float64(max(1, t.times.ValueAtQuantile(50))))
	s.p99 = append(s.p99, float64(max(1, t.times.ValueAtQuantile(99))))
	s.cpu = append(s.cpu, max(0.001, t.cost.each(executed).Daemon))
	s.memory = append(s.memory, float64(max(1, t.memory)))
}

func addAnswers(a *compare.Answers, instance int, t sum) {
	if instance < 2 {
		a.OfA, a.BadA = a.OfA+t.outcomes.Total(), a.BadA+t.outcomes.Bad()
		return
	}
	a.OfB, a.BadB = a.OfB+t.outcomes.Total(), a.BadB+t.outcomes.Bad()
	if a.WhyB == "" {
		a.WhyB = t.why
	}
}

func figures(s [instances]side) []compare.Figure {
	make := func(name string, unit compare.Unit, better, worse string,
		of func(side) []float64) compare.Figure {
		return compare.Figure{
			Name: name, Unit: unit, Better: better, Worse: worse,
			MoreIsBetter: unit == compare.PerSecond,
			A1:           of(s[0]), A2: of(s[1]), B1: of(s[2]), B2: of(s[3]),
		}
	}
	return []compare.Figure{
		make("executions", compare.PerSecond, "faster", "slower",
			func(s side) []float64 { return s.rate }),
		make("latency, p50", compare.Micros, "faster", "slower",
			func(s side) []float64 { return s.p50 }),
		make("latency, p99", compare.Micros, "faster", "slower",
			func(s side) []float64 { return s.p99 }),
		make("daemon's CPU time per execution", compare.Micros, "less", "more",
			func(s side) []float64 { return s.cpu }),
		make("daemon's memory after the load", compare.Bytes, "less", "more",
			func(s side) []float64 { return s.memory }),
	}
}

// percentiles are those that a distribution is drawn by.
func percentiles(of [2]*hdrhistogram.Histogram) compare.Latencies {
	l := compare.Latencies{Percents: []float64{}, A: []int64{}, B: []int64{}}
	if of[0].TotalCount() == 0 || of[1].TotalCount() == 0 {
		return l
	}
	for p := 1.0; p < 100; p++ {
		l.Percents = append(l.Percents, p)
	}
	l.Percents = append(l.Percents, 99.5, 99.9)
	for _, p := range l.Percents {
		l.A = append(l.A, of[0].ValueAtQuantile(p))
		l.B = append(l.B, of[1].ValueAtQuantile(p))
	}
	return l
}
