package compare

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// even is a report of two sides that are alike.
func even() *Report {
	r := NewReport()
	r.A, r.B, r.Tolerate = "binary a", "binary b", 0.05
	r.Differences = []Difference{made(rand.New(rand.NewPCG(1, 1)), usual, 0, 0.01).Judge(0.05)}
	seed := rand.New(rand.NewPCG(2, 2))
	r.Leaks = NewLeaks(heap(seed, 0), heap(seed, 0), heap(seed, 0))
	r.Answers = Answers{OfA: 1000, OfB: 1000}
	r.Scenarios = []Scenario{{ID: "storm", A: trial.Pass, B: trial.Pass, Change: Unchanged}}
	r.Latencies = Latencies{Percents: []float64{1, 50, 99}, A: []int64{300, 900, 4000},
		B: []int64{310, 910, 3900}}
	return r
}

func TestVerdicts(t *testing.T) {
	slower := made(rand.New(rand.NewPCG(3, 3)), usual, -0.3, 0.01)
	for name, c := range map[string]struct {
		change func(*Report)
		want   trial.Verdict
		why    string
	}{
		"alike": {func(*Report) {}, trial.Pass, ""},
		"slower": {func(r *Report) { r.Differences[0] = slower.Judge(0.05) }, trial.Fail,
			"slower by 30 %"},
		"allowed": {func(r *Report) { r.Differences[0] = slower.Judge(0.5) }, trial.Pass, ""},
		"leaks": {func(r *Report) {
			seed := rand.New(rand.NewPCG(4, 4))
			r.Leaks = NewLeaks(heap(seed, 0), heap(seed, 0), heap(seed, 2048))
		}, trial.Fail, "grows by 2"},
		"a file stays": {func(r *Report) { r.Leaks.More = []string{"1 open files more"} },
			trial.Fail, "open files"},
		"a wrong answer": {func(r *Report) { r.Answers.BadB = 1; r.Answers.WhyB = "lost" },
			trial.Fail, "1 of 1000 of B"},
		"both lose some": {func(r *Report) { r.Answers.BadA, r.Answers.BadB = 100, 110 },
			trial.Pass, ""},
		"B loses more": {func(r *Report) { r.Answers.BadA, r.Answers.BadB = 100, 200 },
			trial.Fail, "200 of 1000"},
		"B died": {func(r *Report) { r.DiedB = "exit status 2" }, trial.Fail,
			"exit status 2"},
		"A died": {func(r *Report) { r.DiedA = "exit status 2" }, trial.Inconclusive,
			"A did not survive"},
		"a new failure": {func(r *Report) { r.Scenarios[0].Change = New }, trial.Fail,
			"new failure: storm"},
		"mended": {func(r *Report) { r.Scenarios[0].Change = Mended }, trial.Pass, ""},
		"not proved": {func(r *Report) { r.Scenarios[0].Change = NotProved },
			trial.Inconclusive, "proved nothing of B"},
		"ended early": {func(r *Report) { r.Problem = "interrupted" }, trial.Inconclusive,
			"interrupted"},
		"nothing": {func(r *Report) { *r = *NewReport() }, trial.Inconclusive,
			"nothing was compared"},
		"too few rounds": {func(r *Report) { r.Differences[0] = Figure{Name: "x"}.Judge(0) },
			trial.Inconclusive, "too few"},
		"early and worse": {func(r *Report) { r.Problem, r.DiedB = "interrupted", "killed" },
			trial.Fail, "killed"},
	} {
		r := even()
		c.change(r)
		r.Judge()
		reasons := strings.Join(r.Reasons, "; ")
		if r.Verdict != c.want || !strings.Contains(reasons, c.why) ||
			(c.why == "") != (reasons == "") {
			t.Errorf("%s: %v, want %v: %s", name, r.Verdict, c.want, reasons)
		}
	}
}

func TestScenariosSideBySide(t *testing.T) {
	run := func(verdicts ...trial.Verdict) (r results.Run) {
		for i, v := range verdicts {
			r.Findings = append(r.Findings, results.Finding{
				Scenario: trial.Scenario{ID: string(rune('a' + i))}, Verdict: v,
			})
		}
		return r
	}
	p, f, i := trial.Pass, trial.Fail, trial.Inconclusive
	all := Scenarios(run(p, f, p, p, f, i, i, p), run(p, f, f, i, p, p, f))
	var got []Change
	for _, s := range all {
		got = append(got, s.Change)
	}
	want := []Change{Unchanged, Unchanged, New, NotProved, Mended, Apart, NotProved, Apart}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if more := Scenarios(run(p), run(p, f)); len(more) != 2 || more[1].Change != Apart {
		t.Errorf("one that A has not: %+v", more)
	}
}

// Whatever a target is called or says, tables stay tables and the page stays a page.
func TestHostileWords(t *testing.T) {
	const hostile = "a|b\n</script><script>alert(1)</script>`x` \x1b[31m"
	r := even()
	r.A, r.B, r.Problem = hostile, hostile, hostile
	r.Answers.BadB, r.Answers.WhyB = 1, hostile
	r.Scenarios[0].Change, r.Scenarios[0].ReasonB = New, hostile
	r.LeftOut = []string{hostile}
	r.Judge()
	folder := t.TempDir()
	if err := r.Write(folder); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"compare.md", "compare.html"} {
		raw, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte("<script>")) || bytes.ContainsRune(raw, '\x1b') {
			t.Errorf("%s has what a target said as it was said", name)
		}
	}
}

// Drawings hold no number that is none.
func TestThePageIsDrawn(t *testing.T) {
	r := even()
	r.Differences = append(r.Differences, Figure{Name: "nothing"}.Judge(0.05))
	r.Judge()
	raw, err := r.HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"NaN", "Inf", "ZgotmplZ"} {
		if bytes.Contains(raw, []byte(bad)) {
			t.Errorf("the page has %s", bad)
		}
	}
	for _, want := range []string{"<polyline", "<ellipse", "inconclusive"} {
		if !bytes.Contains(raw, []byte(want)) {
			t.Errorf("the page lacks %s", want)
		}
	}
	decoder := xml.NewDecoder(bytes.NewReader(raw))
	decoder.Strict, decoder.Entity = false, xml.HTMLEntity
	decoder.AutoClose = xml.HTMLAutoClose
	for {
		if _, err := decoder.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatIsWrittenFitsItsSchema(t *testing.T) {
	r := even()
	r.Differences = append(r.Differences, Figure{Name: "nothing", Unit: Micros}.Judge(0.05))
	r.Differences[0].Change = intervalOf([]float64{1}) // open at both ends
	r.Problem, r.DiedA, r.DiedB, r.Answers.WhyB = "p", "a", "b", "w"
	r.Scenarios[0].ReasonA, r.Scenarios[0].ReasonB = "a", "b"
	r.Differences[0].BeyondTolerance = true
	r.Judge()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := results.Schema("compare")
	if err != nil {
		t.Fatal(err)
	}
	closed := bytes.ReplaceAll(text, []byte(`"additionalProperties": true`),
		[]byte(`"additionalProperties": false`))
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(closed))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("compare.json", schema); err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err == nil {
		err = compiler.MustCompile("compare.json").Validate(value)
	}
	if err != nil {
		t.Error(err)
	}
}

// bench writes a bench.json of one contestant and the machine's limit.
func bench(t *testing.T, rate, limit float64) string {
	t.Helper()
	folder := t.TempDir()
	of := func(name string, v float64) map[string]any {
		return map[string]any{"contestant": name, "inFlight": 8, "perSecond": map[string]any{
			"n": 40, "median": v, "low95": v * 0.99, "high95": v * 1.01}}
	}
	raw, err := json.Marshal(map[string]any{"rates": []any{of("registry", rate),
		of("limit", limit)}})
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "bench.json"), raw, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestOldBenches(t *testing.T) {
	for name, c := range map[string]struct {
		rate, limit float64
		want        Word
	}{
		"alike":                      {1000, 2000, Same},
		"slower":                     {800, 2000, Worse},
		"faster":                     {1200, 2000, Better},
		"slower as the machine was":  {800, 1600, Same},
		"faster, and so the machine": {1200, 2500, Same},
	} {
		r, err := Folders(bench(t, 1000, 2000), bench(t, c.rate, c.limit), 0.05)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Differences) != 1 || r.Differences[0].Word != c.want {
			t.Errorf("%s: %+v, want %q", name, r.Differences, c.want)
		}
	}
}

func TestFoldersWithoutResults(t *testing.T) {
	if _, err := Folders(t.TempDir(), t.TempDir(), 0.05); err == nil {
		t.Error("two empty folders were compared")
	}
}

func TestOldRuns(t *testing.T) {
	const pass, fail = "../results/testdata/pass", "../results/testdata/fail"
	r, err := Folders(pass, pass, 0.05)
	if err != nil {
		t.Fatal(err)
	}
	r.Judge()
	for _, s := range r.Scenarios {
		if s.Change != Unchanged {
			t.Errorf("a run and itself: %+v", s)
		}
	}
	if len(r.Scenarios) == 0 || r.Verdict != trial.Pass {
		t.Errorf("%v: %q", r.Verdict, r.Reasons)
	}
	if r, err = Folders(pass, fail, 0.05); err != nil || len(r.Scenarios) == 0 {
		t.Errorf("%v, %v", r, err)
	}
}
