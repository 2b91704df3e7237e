package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/reapcheck/reapcheck/harness/printable"
	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// scenarioRow is one scenario in the table at the top.
type scenarioRow struct {
	ID, Level, Reason, Waiver, Also                 string
	Verdict                                         trial.Verdict
	Candidate, Rate, Upper95, Baseline, Hits, Power string
	Marks                                           []rateMark
}

func newScenarioRow(f results.Finding, rates scale) scenarioRow {
	candidate, base := f.Tally(trial.Candidate), f.Tally(trial.Baseline)
	row := scenarioRow{
		ID:        printable.Line(f.ID),
		Level:     string(f.Level),
		Reason:    printable.Text(f.Reason),
		Waiver:    waiverNote(f),
		Also:      notJudged(f),
		Verdict:   f.Verdict,
		Candidate: "-",
		Rate:      "-",
		Upper95:   "-",
		Baseline:  "-",
		Hits:      faultHits(f),
		Power:     "-",
	}
	if candidate.Trials > 0 {
		row.Candidate = fmt.Sprintf("%d of %d", candidate.Bad, candidate.Trials)
		row.Rate = printable.Percent(candidate.Rate())
		row.Upper95 = printable.Percent(trial.Upper95(candidate.Bad, candidate.Trials))
		row.Marks = append(row.Marks, mark(candidate.Bad, candidate.Trials, "candidate").on(rates))
	}
	if base.Trials > 0 {
		row.Baseline = printable.Percent(base.Rate())
		row.Marks = append(row.Marks, mark(base.Bad, base.Trials, "baseline").on(rates))
	}
	if power, ok := f.Power(); ok {
		row.Power = printable.Percent(power)
	}
	return row
}

// hits adds up how often the faults of all arms hit.
func faultHits(f results.Finding) string {
	n, faulty := int64(0), false
	for _, a := range f.Arms {
		if a.Plan.Fault != "" {
			n, faulty = n+a.End.FaultHits, true
		}
	}
	if !faulty {
		return "-"
	}
	return strconv.FormatInt(n, 10)
}

// section is one scenario with its arms.
type section struct {
	ID, Text, Reason, Waiver, Fault string
	Witness                         string
	Verdict                         trial.Verdict
	Outcomes                        []string // that occurred, the worst first
	Arms                            []armRow
	RateTicks, TimeTicks            []tick
	Tried, Faults, Checked          bool // which columns say something
}

func newSection(f results.Finding, rates scale) section {
	shared, own := splitFaults(f.Arms)
	times := timeScale(f.Arms)
	s := section{
		ID:        printable.Line(f.ID),
		Text:      printable.Line(f.Text),
		Reason:    printable.Text(f.Reason),
		Waiver:    waiverNote(f),
		Witness:   witnessNote(f),
		Fault:     shared,
		Verdict:   f.Verdict,
		RateTicks: rates.ticks(printable.Percent),
		TimeTicks: times.ticks(printable.Micros),
		Tried:     f.Tally(trial.Baseline).Trials+f.Tally(trial.Candidate).Trials > 0,
	}
	var shown []trial.Outcome
	for _, o := range badOutcomes {
		if slices.ContainsFunc(f.Arms, func(a results.Arm) bool { return a.Counts[o] > 0 }) {
			shown, s.Outcomes = append(shown, o), append(s.Outcomes, string(o))
		}
	}
	for _, a := range f.Arms {
		row := newArmRow(a, shown, rates, times)
		row.Fault = own[a.Plan.Fault]
		s.Faults = s.Faults || row.Fault != ""
		s.Checked = s.Checked || tellsByChecks(a)
		s.Arms = append(s.Arms, row)
	}
	return s
}

type armRow struct {
	Name, Role, Strategy, Fault, Hits, Trials, Must string
	Verdict                                         trial.Verdict
	Why                                             string
	Counts                                          []string
	Rate, Upper95, Checks                           string
	Marks                                           []rateMark
	Bars                                            []bar
	Median, P99, Max, Start                         string
}

func newArmRow(a results.Arm, shown []trial.Outcome, rates, times scale) armRow {
	verdict, why := a.Judge()
	row := armRow{
		Name:     printable.Line(a.Plan.Arm),
		Role:     printable.Line(string(a.Plan.Role)),
		Strategy: printable.Line(a.Plan.Strategy),
		Hits:     hits(a),
		Trials:   count(a, a.Trials),
		Must:     promise(a),
		Verdict:  verdict,
		Rate:     ratio(a, trial.Rate(a.BadTrials(), a.Trials)),
		Upper95:  ratio(a, trial.Upper95(a.BadTrials(), a.Trials)),
		Checks:   checks(a),
	}
	if verdict == trial.Inconclusive { // of a failure the numbers tell
		row.Why = printable.Text(why)
	}
	for _, o := range shown {
		row.Counts = append(row.Counts, count(a, a.Counts[o]))
	}
	if a.End.StartMicros > 0 {
		row.Start = printable.Micros(float64(a.End.StartMicros))
	}
	if a.Trials == 0 {
		return row
	}
	row.Marks = []rateMark{mark(a.BadTrials(), a.Trials, row.Role).on(rates)}
	sorted := slices.Sorted(slices.Values(a.Micros))
	row.Bars = times.histogram(sorted)
	for at, q := range map[*string]float64{&row.Median: 0.5, &row.P99: 0.99, &row.Max: 1} {
		*at = printable.Duration(time.Duration(trial.Quantile(sorted, q)) * time.Microsecond)
	}
	return row
}

// scale is a logarithmic axis. Positions are percent of its width, so that an
// SVG can be as wide as its table cell.
type scale struct{ low, high float64 } // exponents of ten

// position of v; what lies outside stands at the edge.
func (s scale) position(v float64) float64 {
	if v <= 0 {
		return 0
	}
	return hundredths(100 * min(1, max(0, (math.Log10(v)-s.low)/(s.high-s.low))))
}

// hundredths are as fine as a drawing needs, and the same on every machine.
func hundredths(v float64) float64 { return math.Round(100*v) / 100 }

// tick is a labelled place of an axis.
type tick struct {
	X      float64
	Label  string
	Anchor string // SVG's text-anchor
}

func (s scale) ticks(label func(v float64) string) []tick {
	const most = 4 // labels of this length fit into a cell
	var ticks []tick
	step := math.Ceil((s.high - s.low + 1) / most)
	for e := s.high; e >= s.low; e -= step {
		t := tick{X: s.position(math.Pow(10, e)), Label: label(math.Pow(10, e)), Anchor: "middle"}
		switch e {
		case s.low:
			t.Anchor = "start"
		case s.high:
			t.Anchor = "end"
		}
		ticks = append(ticks, t)
	}
	return ticks
}

// rateScale reaches from the least rate that the run can tell from 0 to 1.
func rateScale(run results.Run) scale {
	low := 1e-2
	for _, f := range run.Findings {
		candidate := f.Tally(trial.Candidate)
		low = min(low, mark(candidate.Bad, candidate.Trials, "").least())
		for _, a := range f.Arms {
			low = min(low, mark(a.BadTrials(), a.Trials, "").least())
		}
	}
	return scale{low: math.Floor(math.Log10(low)), high: 0}
}

// rateMark is a rate with its interval; on a scale the numbers are positions.
type rateMark struct {
	Rate, Low, High float64
	Class           string
}

func mark(bad, trials int, class string) rateMark {
	low, high := trial.Interval95(bad, trials)
	return rateMark{Rate: trial.Rate(bad, trials), Low: low, High: high, Class: class}
}

func (m rateMark) on(s scale) rateMark {
	return rateMark{
		Rate:  s.position(m.Rate),
		Low:   s.position(m.Low),
		High:  s.position(m.High),
		Class: m.Class,
	}
}

// least is the smallest number that has to be on the axis; the lower end of an
// interval may stand at its edge.
func (m rateMark) least() float64 {
	if m.Rate > 0 {
		return m.Rate
	}
	return m.High
}

// timeScale reaches over all answers of a scenario's arms.
func timeScale(arms []results.Arm) scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, a := range arms {
		if len(a.Micros) > 0 {
			low = min(low, float64(slices.Min(a.Micros)))
			high = max(high, float64(slices.Max(a.Micros)))
		}
	}
	if low > high {
		return scale{0, 1}
	}
	s := scale{math.Floor(math.Log10(max(1, low))), math.Ceil(math.Log10(max(1, high)))}
	s.high = max(s.high, s.low+1)
	return s
}

// bar is one column of a histogram, in percent of the drawing.
type bar struct{ X, Width, Height float64 }

// histogram counts answers in bins of equal width on the scale. The tallest bar
// is full height: it shows a shape, not a number.
func (s scale) histogram(micros []int64) []bar {
	const bins = 50
	counts := make([]int, bins)
	for _, v := range micros {
		counts[min(bins-1, int(s.position(float64(v))/100*bins))]++
	}
	tallest := slices.Max(counts)
	var bars []bar
	for i, n := range counts {
		if n > 0 {
			bars = append(bars, bar{
				X:      100 * float64(i) / bins,
				Width:  100.0 / bins,
				Height: hundredths(max(4, 100*float64(n)/float64(tallest))),
			})
		}
	}
	return bars
}

func (b bar) Y() float64 { return hundredths(100 - b.Height) }
