package bench

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Report is bench.json.
type Report struct {
	Verdict trial.Verdict `json:"verdict"`
	// Problem says why the run ended before its end; it never passes then.
	Problem string `json:"problem,omitempty"`
	// Candidate is someone's own daemon that was measured; empty where none was.
	Candidate string `json:"candidate,omitempty"`
	results.Measurement
	TurnMs       int64         `json:"turnMs"`
	Before       Machine       `json:"machineBefore"`
	After        Machine       `json:"machineAfter"`
	Requirements []Requirement `json:"requirements"`
	Rates        []Rate        `json:"rates"`
	// Died says whose daemon ended while the rates were measured, and how.
	Died   []string `json:"died,omitempty"`
	Ratios []Ratio  `json:"ratios"`
	// Supervised is how many system calls of the daemon behind the launcher the
	// harness was asked about.
	Supervised int64     `json:"supervised"`
	Arrivals   []Arrival `json:"arrivals"`
	// Gates are the verdicts on the same daemons, where they were asked for.
	Gates  []Gate  `json:"gates"`
	Sleeps []Sleep `json:"sleeps"`
	Leaks  []Leak  `json:"leaks"`
	// LeftOut says in words what was not measured, and why.
	LeftOut []string `json:"leftOut"`
}

// Rate is what one contestant did at one number of requests in flight.
type Rate struct {
	Contestant string `json:"contestant"`
	InFlight   int    `json:"inFlight"`
	// PerSecond is over the turns.
	PerSecond Spread `json:"perSecond"`
	// Percentiles are over all answers, in microseconds.
	P50  int64 `json:"p50us"`
	P99  int64 `json:"p99us"`
	P999 int64 `json:"p999us"`
	// CPU is what one execution costs.
	CPU      Micros   `json:"cpuUs"`
	Outcomes Outcomes `json:"outcomes"`
	// Why is the first answer that was not ok.
	Why string `json:"why,omitempty"`
}

// Ratio compares the rates of two contestants, turn by turn.
type Ratio struct {
	Of       string `json:"of"`
	To       string `json:"to"`
	InFlight int    `json:"inFlight"`
	Spread
}

// NewReport has no part that is null in JSON.
func NewReport() *Report {
	return &Report{
		Measurement:  results.Measurement{Argv: []string{}},
		Requirements: []Requirement{},
		Rates:        []Rate{},
		Ratios:       []Ratio{},
		Arrivals:     []Arrival{},
		Gates:        []Gate{},
		Sleeps:       []Sleep{},
		Leaks:        []Leak{},
		LeftOut:      []string{},
	}
}

// addRates reads the cells.
func (r *Report) addRates(cells []*cell) {
	for _, c := range cells {
		if len(c.perSecond) == 0 {
			continue
		}
		r.Rates = append(r.Rates, Rate{
			Contestant: c.name,
			InFlight:   c.inFlight,
			PerSecond:  spread(c.perSecond),
			P50:        c.times.ValueAtQuantile(50),
			P99:        c.times.ValueAtQuantile(99),
			P999:       c.times.ValueAtQuantile(99.9),
			CPU:        c.cost.each(c.outcomes.Total()),
			Outcomes:   c.outcomes,
			Why:        c.why,
		})
		for _, to := range compared(c.name) {
			if other := find(cells, to, c.inFlight); other != nil {
				r.Ratios = append(r.Ratios, Ratio{
					Of:       c.name,
					To:       to,
					InFlight: c.inFlight,
					Spread:   spread(ratios(c.perSecond, other.perSecond)),
				})
			}
		}
	}
}

// compared are the contestants with which one is compared.
func compared(name string) []string {
	switch name {
	case limit, noCommand:
		return nil
	case behindLauncher:
		return []string{registry}
	case none:
		return []string{limit}
	case Candidate:
		return []string{registry, limit}
	}
	return []string{none, limit}
}

func (r *Report) ratio(of, to string, inFlight int) (Ratio, bool) {
	for _, ratio := range r.Ratios {
		if ratio.Of == of && ratio.To == to && ratio.InFlight == inFlight {
			return ratio, true
		}
	}
	return Ratio{}, false
}

// Micros is the CPU time of one execution in microseconds, by who spent it.
type Micros struct {
	Client   float64 `json:"client"`
	Daemon   float64 `json:"daemon"`
	Commands float64 `json:"commands"`
	All      float64 `json:"all"`
}

// each shares a cost out among so many executions.
func (c Cost) each(executions int) Micros {
	of := func(d time.Duration) float64 {
		if executions == 0 {
			return 0
		}
		return float64(d.Nanoseconds()) / 1000 / float64(executions)
	}
	return Micros{of(c.Client), of(c.Daemon), of(c.Commands), of(c.all())}
}

// Write judges the report and leaves bench.json and bench.md in folder.
func (r *Report) Write(folder string) error {
	r.judge()
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "bench.json"), append(raw, '\n'),
		0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "bench.md"), []byte(r.Markdown()), 0o644)
}

// Spread is the middle of some measurements and how far they lie apart. The zero
// Spread is of none.
type Spread struct {
	N      int     `json:"n"`
	Median float64 `json:"median"`
	// P25 and P75 enclose the middle half.
	P25 float64 `json:"p25"`
	P75 float64 `json:"p75"`
	// Low and High enclose the true median with 95 % confidence; both are 0
	// where there are too few measurements to say, which is below six.
	Low  float64 `json:"low95"`
	High float64 `json:"high95"`
}

// spread leaves values as they are.
func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	s := Spread{N: len(sorted), Median: median(sorted)}
	s.P25 = stat.Quantile(0.25, stat.Empirical, sorted, nil)
	s.P75 = stat.Quantile(0.75, stat.Empirical, sorted, nil)
	if k := rank(len(sorted)); k > 0 {
		s.Low, s.High = sorted[k-1], sorted[len(sorted)-k]
	}
	return s
}

func median(sorted []float64) float64 {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// rank is the largest k for which the k-th value from either end encloses the
// median with 95 % confidence: how many of n values lie below their median is
// a binomial number, whatever their distribution. Zero means that no k does.
func rank(n int) int {
	below := distuv.Binomial{N: float64(n), P: 0.5}
	k := 0
	for 2*(k+1) <= n && below.CDF(float64(k)) <= 0.025 {
		k++
	}
	return k
}

// outrun is the ratio of a lap in which only the first side answered, and the
// highest of all: a number, since JSON has no infinity.
const outrun = 1e6

// ratios divides what was measured in the same lap. A lap in which one side answered
// nothing counts against it; one in which neither did is no pair, nor is one that
// a side lacks.
func ratios(of, to []float64) []float64 {
	var all []float64
	for i := range min(len(of), len(to)) {
		if of[i] > 0 || to[i] > 0 {
			all = append(all, min(of[i]/to[i], outrun))
		}
	}
	return all
}
