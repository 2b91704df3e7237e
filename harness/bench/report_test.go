package bench

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// good is a report that meets every requirement.
func good() *Report {
	r := NewReport()
	ratio := func(of, to string) Ratio {
		return Ratio{of, to, claimLevel, Spread{
			N:      60,
			Median: 0.99,
			P25:    0.98,
			P75:    1,
			Low:    0.96,
			High:   1.02,
		}}
	}
	r.Ratios = []Ratio{ratio(registry, none), ratio(registry, limit),
		ratio(behindLauncher, registry)}
	ok := Outcomes{trial.OK: 100}
	r.Rates = []Rate{{
		Contestant: registry,
		InFlight:   claimLevel,
		Outcomes:   ok,
	}, {Contestant: "reaper-only", Outcomes: Outcomes{trial.OK: 90, trial.Lost: 10}}}
	r.Sleeps = []Sleep{
		{
			Strategy: registry,
			InFlight: claimSleeps,
			During:   Figures{Threads: 24, RSS: claimSleeps * 30 << 10},
			Outcomes: Outcomes{trial.OK: claimSleeps},
		},
		{
			Strategy: none,
			InFlight: claimSleeps,
			Died:     "bench-none ended: exit status 2",
			Outcomes: Outcomes{},
		},
	}
	r.Leaks = []Leak{{
		Strategy: registry,
		Commands: 100,
		Before:   Figures{Files: 8, Threads: 10},
		After:    Figures{Files: 8, Threads: 12},
		Outcomes: ok,
	}}
	return r
}

func TestVerdicts(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Report)
		want   trial.Verdict
	}{
		"all met":     {func(*Report) {}, trial.Pass},
		"ended early": {func(r *Report) { r.Problem = "interrupted" }, trial.Inconclusive},
		"ratio surely missed": {func(r *Report) { r.Ratios[0].Low, r.Ratios[0].High = 0.90, 0.94 },
			trial.Fail},
		"ratio not sure": {func(r *Report) { r.Ratios[1].Low = 0.84 }, trial.Inconclusive},
		"too few pairs": {func(r *Report) { r.Ratios[2].Low, r.Ratios[2].High = 0, 0 },
			trial.Inconclusive},
		"ratio not measured": {func(r *Report) { r.Ratios = r.Ratios[1:] }, trial.Inconclusive},
		"a wrong answer": {func(r *Report) {
			r.Rates[0].Outcomes = Outcomes{trial.OK: 99,
				trial.Wrong: 1}
		}, trial.Fail},
		"died while it was timed": {func(r *Report) { r.Died = []string{"registry: ended"} },
			trial.Fail},
		"nothing timed": {func(r *Report) { r.Rates = nil }, trial.Inconclusive},
		"a thread per child": {func(r *Report) { r.Sleeps[0].During.Threads = 65 },
			trial.Fail},
		"too much memory": {func(r *Report) {
			r.Sleeps[0].During.RSS = claimSleeps*40<<10 +
				claimSleeps
		}, trial.Fail},
		"a lost sleep": {func(r *Report) {
			r.Sleeps[0].Outcomes = Outcomes{trial.OK: claimSleeps - 1}
		}, trial.Fail},
		"did not survive": {func(r *Report) { r.Sleeps[0].Died = "ended" }, trial.Fail},
		"fewer sleeps": {func(r *Report) {
			r.Sleeps[0].InFlight,
				r.Sleeps[0].Outcomes[trial.OK] = 1000, 1000
		}, trial.Inconclusive},
		"no sleeps":                {func(r *Report) { r.Sleeps = nil }, trial.Inconclusive},
		"a file left open":         {func(r *Report) { r.Leaks[0].After.Files++ }, trial.Fail},
		"a zombie":                 {func(r *Report) { r.Leaks[0].After.Zombies++ }, trial.Fail},
		"a goroutine":              {func(r *Report) { r.Leaks[0].After.Goroutines++ }, trial.Fail},
		"an entry":                 {func(r *Report) { r.Leaks[0].After.Registered++ }, trial.Fail},
		"a status that is kept":    {func(r *Report) { r.Leaks[0].After.Cached++ }, trial.Fail},
		"more threads than may be": {func(r *Report) { r.Leaks[0].After.Threads = 15 }, trial.Fail},
		"a wrong one among many": {func(r *Report) {
			r.Leaks[0].Outcomes = Outcomes{trial.OK: 99,
				trial.Lost: 1}
		}, trial.Fail},
		"commands that are missing": {
			func(r *Report) { r.Leaks[0].Outcomes = Outcomes{trial.OK: 99} }, trial.Fail},
		"died of many commands": {func(r *Report) { r.Leaks[0].Died = "ended" }, trial.Fail},
		"no leaks looked for":   {func(r *Report) { r.Leaks = nil }, trial.Inconclusive},
		"failed and not measured": {func(r *Report) { r.Leaks, r.Sleeps[0].Died = nil, "ended" },
			trial.Fail},
	} {
		r := good()
		c.change(r)
		r.judge()
		if r.Verdict != c.want {
			t.Errorf("%s: %v, want %v: %+v", name, r.Verdict, c.want, r.Requirements)
		}
	}
}

func TestRequirementsAreRatiosToWhatIsRequired(t *testing.T) {
	r := good()
	r.judge()
	if got := r.Requirements[0].OfRequired; math.Abs(got-0.99/0.95) > 1e-9 {
		t.Errorf("rate: %v", got)
	}
	if got := r.Requirements[4].OfRequired; got != 24.0/64 {
		t.Errorf("threads: %v", got)
	}
}

// A report that was never measured is a zero value, which is no pass.
func TestAnEmptyReportProvesNothing(t *testing.T) {
	r := NewReport()
	r.judge()
	if r.Verdict != trial.Inconclusive {
		t.Errorf("got %v", r.Verdict)
	}
}

func TestWrittenReport(t *testing.T) {
	r := good()
	r.Started, r.LeftOut, r.Problem = time.Unix(0,
		0).UTC(), []string{"the machine's own limit: there is no C compiler"}, "a | b"
	folder := t.TempDir()
	if err := r.Write(folder); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(folder, "bench.json"))
	if err != nil {
		t.Fatal(err)
	}
	validate(t, raw)
	var back Report
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(&back, r) {
		t.Errorf("what was read is not what was written: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "bench.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# reapcheck bench: inconclusive", `a \| b`,
		"Left out: the machine's own limit: there is no C compiler",
		"did not survive: bench-none ended: exit status 2",
		"| 8 | registry | limit | 0.990 | 0.960 to 1.020 |", "10 lost",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("bench.md lacks %q:\n%s", want, text)
		}
	}
}

// validate holds a file against the schema, closed so that a field without a
// line in it shows.
func validate(t *testing.T, raw []byte) {
	t.Helper()
	text, err := results.Schema("bench")
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Count(text, []byte(`"properties"`)) != bytes.Count(text,
		[]byte(`"additionalProperties": true`)) {
		t.Fatal("an object of the schema does not say that it is open")
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(bytes.ReplaceAll(text,
		[]byte(`"additionalProperties": true`), []byte(`"additionalProperties": false`))))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("bench.json", schema); err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err == nil {
		err = compiler.MustCompile("bench.json").Validate(value)
	}
	if err != nil {
		t.Error(err)
	}
}

// The ranks are those of the tables for the sign test.
func TestRankOfTheMedian(t *testing.T) {
	for n, want := range map[int]int{0: 0, 1: 0, 5: 0, 6: 1, 9: 2, 12: 3, 20: 6, 50: 18, 100: 40} {
		if got := rank(n); got != want {
			t.Errorf("rank(%d) = %d, want %d", n, got, want)
		}
	}
}

// An interval that is drawn too close would turn noise into a verdict: among
// all ways in which n values can lie around their median, the k-th from either
// end must leave it out in at most 5 of 100.
func TestTheIntervalKeepsItsPromise(t *testing.T) {
	for n := 6; n <= 200; n++ {
		below := distuv.Binomial{N: float64(n), P: 0.5}
		if missed := 2 * below.CDF(float64(rank(n)-1)); missed > 0.05 {
			t.Errorf("%d values: missed with probability %.3f", n, missed)
		}
	}
}

func TestSpread(t *testing.T) {
	values := []float64{9, 1, 8, 2, 7, 3, 6, 4, 5}
	before := slices.Clone(values)
	got := spread(values)
	if want := (Spread{N: 9, Median: 5, P25: 3, P75: 7, Low: 2, High: 8}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !slices.Equal(values, before) {
		t.Error("the values were sorted in place: they are in the order of the laps")
	}
	if got := spread([]float64{1, 2, 3, 4}); got.Median != 2.5 || got.Low != 0 || got.High != 0 {
		t.Errorf("four values: %+v", got)
	}
	if spread(nil) != (Spread{}) {
		t.Error("a spread of nothing")
	}
}

func TestRatiosArePaired(t *testing.T) {
	got := ratios([]float64{2, 9, 0, 8, 0, 5}, []float64{1, 3, 7, 0, 0})
	if want := []float64{2, 3, 0, outrun}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, q := range ratios([]float64{1, math.MaxFloat64}, []float64{0, 0.1}) {
		if q != outrun {
			t.Errorf("a ratio of %v", q)
		}
	}
}
