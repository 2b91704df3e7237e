package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/reapcheck/reapcheck/harness/results"
)

// ErrNoResults means that two folders hold nothing that can be compared.
var ErrNoResults = errors.New("there is neither run.json nor bench.json in both")

// Folders compares two old result folders: the verdicts of two runs, or the rates of two
// benches. Benches ran at different times, so that the machine may have changed: what
// the machine's own limit changed by counts as the noise.
func Folders(a, b string, tolerate float64) (*Report, error) {
	r := NewReport()
	r.A, r.B, r.Tolerate = a, b, tolerate
	runs, err := r.addRuns(a, b)
	if err != nil {
		return nil, err
	}
	benches, err := r.addBenches(a, b)
	if err != nil {
		return nil, err
	}
	if !runs && !benches {
		return nil, fmt.Errorf("compare %s with %s: %w", a, b, ErrNoResults)
	}
	return r, nil
}

func (r *Report) addRuns(a, b string) (found bool, err error) {
	first, errA := results.Load(a)
	second, errB := results.Load(b)
	if errors.Is(errA, results.ErrNoRun) && errors.Is(errB, results.ErrNoRun) {
		return false, nil
	}
	if err := errors.Join(errA, errB); err != nil {
		return false, err
	}
	r.Scenarios = Scenarios(first, second)
	r.A, r.B = first.Info.Target+", "+a, second.Info.Target+", "+b
	r.Seed, r.Runtime, r.Kernel = second.Info.Seed, second.Info.Runtime, second.Info.Kernel
	r.CPUs, r.Started = second.Info.CPUs, second.Info.Started
	return true, nil
}

// oldBench is what is read of a bench.json.
type oldBench struct {
	Candidate string `json:"candidate"`
	results.Measurement
	Rates []oldRate
}

type oldRate struct {
	Contestant string `json:"contestant"`
	InFlight   int    `json:"inFlight"`
	PerSecond  struct {
		N      int     `json:"n"`
		Median float64 `json:"median"`
		Low    float64 `json:"low95"`
		High   float64 `json:"high95"`
	} `json:"perSecond"`
}

func (r *Report) addBenches(a, b string) (found bool, err error) {
	first, errA := readBench(a)
	second, errB := readBench(b)
	if errors.Is(errA, fs.ErrNotExist) || errors.Is(errB, fs.ErrNotExist) {
		return false, nil
	}
	if err := errors.Join(errA, errB); err != nil {
		return false, err
	}
	r.Seed, r.Runtime, r.Kernel, r.CPUs = second.Seed, second.Runtime, second.Kernel, second.CPUs
	for _, rate := range second.Rates {
		old, ok := first.rate(rate.Contestant, rate.InFlight)
		machine, known := machineChange(first, second, rate.InFlight)
		if !ok || rate.Contestant == machineLimit {
			continue
		}
		d := Difference{
			Name: fmt.Sprintf("executions of %s with %d in flight", rate.Contestant, rate.InFlight),
			Unit: PerSecond, MoreIsBetter: true, A: old.PerSecond.Median, B: rate.PerSecond.Median,
			Changes: []float64{}, Noises: []float64{},
		}
		d.judgeOld(old, rate, machine, known, r.Tolerate)
		r.Differences = append(r.Differences, d)
	}
	return true, nil
}

// machineLimit is the contestant that shows how fast the machine was.
const machineLimit = "limit"

func machineChange(a, b oldBench, inFlight int) (Interval, bool) {
	first, okA := a.rate(machineLimit, inFlight)
	second, okB := b.rate(machineLimit, inFlight)
	if !okA || !okB {
		return Interval{}, false
	}
	return first.to(second), true
}

// to is the change from one rate to another one that was not measured beside it.
func (o oldRate) to(next oldRate) Interval {
	if o.PerSecond.Low <= 0 || next.PerSecond.Low <= 0 {
		return Interval{Low: math.Inf(-1), High: math.Inf(1)}
	}
	return Interval{
		N:      min(o.PerSecond.N, next.PerSecond.N),
		Middle: next.PerSecond.Median/o.PerSecond.Median - 1,
		Low:    next.PerSecond.Low/o.PerSecond.High - 1,
		High:   next.PerSecond.High/o.PerSecond.Low - 1,
	}
}

func (d *Difference) judgeOld(old, next oldRate, machine Interval, known bool, tolerate float64) {
	if d.Change = old.to(next); d.Change.N < Fewest || math.IsInf(d.Change.Low, 0) {
		d.Why = "too few turns to say"
		return
	}
	if !known {
		d.Why = "the machine's own limit was not measured in both, so that its noise is not known"
		return
	}
	d.NoiseA = machine
	d.judge(machine.most(), tolerate)
	d.Says = map[Word]string{Same: string(Same), Better: "faster", Worse: "slower"}[d.Word]
}

func (b oldBench) rate(contestant string, inFlight int) (oldRate, bool) {
	for _, r := range b.Rates {
		if r.Contestant == contestant && r.InFlight == inFlight {
			return r, true
		}
	}
	return oldRate{}, false
}

func readBench(folder string) (b oldBench, err error) {
	raw, err := os.ReadFile(filepath.Join(folder, "bench.json"))
	if err != nil {
		return b, err
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		return b, fmt.Errorf("read bench.json of %s: %w", folder, err)
	}
	return b, nil
}
