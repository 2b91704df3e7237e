package results

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/fixtures/targets"
	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// savedArm is a candidate's recording of a real run of another daemon, named
// <daemon>-<scenario>.
func savedArm(t *testing.T, name string, info Info, level trial.Level) Arm {
	t.Helper()
	summary, err := loadRecording(filepath.Join("testdata/causes", name+recordingExt))
	if err != nil {
		t.Fatal(err)
	}
	a := Arm{Summary: summary}
	a.weigh(info, trial.Scenario{ID: summary.Plan.Scenario, Level: level})
	return a
}

// causesIn are the IDs of the causes of all defects, each one once.
func causesIn(defects []Defect, only func(Defect) bool) []string {
	var ids []string
	for _, d := range defects {
		if only(d) {
			ids = append(ids, d.Cause.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func whatever(Defect) bool { return true }

// Two daemons of other people's kind and one that races, as they were recorded.
func TestCausesOfSavedRecordings(t *testing.T) {
	for name, want := range map[string]string{
		"reaper-only-reaper-wins":    "reaper-had-status",
		"reaper-only-signals":        "code-lost",
		"reaper-only-shutdown":       "stranded",
		"reaper-only-held-stdout":    "code-lost",
		"reaper-only-idle":           "",
		"reaper-only-many-in-flight": "code-lost thread-per-command",
		"reaper-only-out-of-files":   "no-word-for-no-room",
		"reaper-only-two-owners":     "another-owner",
		"killing-half-closed":        "half-closed",
		"exec-127-pid-reuse":         "code-for-failed-start",
		"naive-signals":              "unknown-code-for-signals",
		"naive-shutdown":             "stranded",
		"naive-held-stdout":          "waits-for-output",
		"naive-hang-up":              "runs-on-after-hang-up",
		"naive-flood":                "floods-memory",
		"naive-long-and-short":       "unknown-code-for-signals",
		"naive-timeout-group":        "timeout-not-enforced",
		"naive-orphan-storm":         "not-reaped",
		"naive-in-time":              "not-reaped",
		"naive-inherits":             "hands-on",
		"naive-pressure":             "no-word-for-no-room",
		"in-python-timeout-group":    "left-the-group",
		"in-c-output":                "code-lost output-limited",
		"in-c-texts":                 "code-lost output-cut output-limited",
		"in-c-pressure":              "no-word-for-no-room target-ended",
		"in-c-resists":               "timeout-not-enforced",
		"in-c-signals":               "code-lost unknown-code-for-signals",
		"in-c-stopping":              "waits-for-commands",
	} {
		a := savedArm(t, name, Info{}, "")
		if got := strings.Join(causesIn(a.Defects, whatever), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	saved, err := filepath.Glob("testdata/causes/*" + recordingExt)
	if err != nil || len(saved) != 28 {
		t.Errorf("%d recordings, %v: each has its line above", len(saved), err)
	}
}

// A command's input has causes of its own, unless what failed shows elsewhere too.
func TestCausesOfInputs(t *testing.T) {
	for _, c := range []struct {
		way  trial.Way
		want string
	}{
		{trial.Way{Outcome: trial.Output, Kind: "given-nul", First: differs(3, 9, 9)}, "input-changed"},
		{trial.Way{Outcome: trial.Output, Kind: "given-and-written", First: differs(70000, 262200, 70012)},
			"input-changed"},
		{trial.Way{Outcome: trial.Output, Kind: "given-and-written", First: differs(65536, 262200, 65536)},
			"output-limited"},
		{trial.Way{Outcome: trial.Hung, Kind: "given-and-held"}, "input-changed"},
		{trial.Way{Outcome: trial.Hung, Kind: "given-overtime"}, "timeout-not-enforced"},
		{trial.Way{Outcome: trial.Hung, Kind: "given-much-overtime"}, "input-changed"},
		{trial.Way{Outcome: trial.Error, Kind: "given-and-held"}, "input-limited"},
		{trial.Way{Outcome: trial.Wrong, Kind: "given-nul"}, "wrong-code"},
		{trial.Way{Outcome: trial.Output, Kind: "instant", First: differs(3, 9, 9)}, "output-changed"},
		// Of a command that has several things it is known which of them an output is of.
		{mixed("with-variable"), "not-as-set"},
		{mixed("reads"), "input-changed"},
		{mixed("writes-quoted"), "output-changed"},
		{mixed(""), "output-changed"},
	} {
		c.way.Trials = 1
		if got := CauseOf(evidence.Evidence{Symptom: trial.Symptom(c.way.Outcome), Way: c.way}); got.ID != c.want {
			t.Errorf("%s %s: %s, want %s", c.way.Outcome, c.way.Kind, got.ID, c.want)
		}
	}
}

// differs is an output that differs at a byte.
func differs(at, want, got int) trial.Record {
	return trial.Record{Detail: fmt.Sprintf(
		`output differs at byte %d: %d bytes wanted "a", got %d bytes "b"`, at, want, got)}
}

// mixed is an output that differs in one part of several.
func mixed(part string) trial.Way {
	first := differs(3, 9, 9)
	first.Part = part
	return trial.Way{Outcome: trial.Output, Kind: "with-variable+reads+writes-quoted", First: first}
}

// The same outcome of the same command has another cause where its order was forced, where it
// found what it looked for, or where its output was right.
func TestCausesThatNeedMoreThanAnOutcome(t *testing.T) {
	inOtherOrder := trial.Record{Outcome: trial.Output,
		Detail: "the two streams are whole, in another order between them: output differs at byte 3"}
	right, found := trial.Record{Outcome: trial.Wrong, Got: new(0), Detail: "another exit code than the command gave, with the right output"},
		trial.Record{Got: new(0), Detail: `another exit code than the command gave; it wrote "found: 3"`}
	for _, c := range []struct {
		fault string
		way   trial.Way
		want  string
	}{
		{"until reaped", trial.Way{Outcome: trial.Hung, Kind: "instant", Trials: 2}, reaperHad},
		{"until reaped", trial.Way{Outcome: trial.Hung, Kind: "instant", Trials: 1}, "end-missed"},
		{"until reaped", trial.Way{Outcome: trial.Wrong, Kind: "instant", Trials: 3, OneCode: true}, reaperHad},
		{"until reaped", trial.Way{Outcome: trial.Wrong, Kind: "killed", Trials: 3, OneCode: true}, "wrong-code"},
		{"", trial.Way{Outcome: trial.Hung, Kind: "instant", Trials: 2}, "end-missed"},
		{"", trial.Way{Outcome: trial.Wrong, Kind: "files", Trials: 1, First: found}, "hands-on"},
		{"", trial.Way{Outcome: trial.Wrong, Kind: "files", Trials: 1, First: right}, "wrong-code"},
		{"", trial.Way{Outcome: trial.Wrong, Kind: "umask", Trials: 1, First: right}, "wrong-code"},
		{"", trial.Way{Outcome: trial.Wrong, Kind: "value-spaces", Trials: 1, First: right}, "wrong-code"},
		{"", trial.Way{Outcome: trial.Wrong, Kind: "value-spaces", Trials: 1}, "not-as-set"},
		{"", trial.Way{Outcome: trial.Error, Kind: "lasts+reads-none+killed", Trials: 1}, "input-limited"},
		{"", trial.Way{Outcome: trial.Output, Kind: "given-much+both", Trials: 1, First: inOtherOrder},
			"streams-interleaved"},
	} {
		e := evidence.Evidence{Symptom: trial.Symptom(c.way.Outcome), Fault: c.fault, Way: c.way,
			Kinds: map[string]int{c.way.Kind: 3}}
		if got := CauseOf(e); got.ID != c.want {
			t.Errorf("%s %s under %q: %s, want %s", c.way.Outcome, c.way.Kind, c.fault, got.ID, c.want)
		}
	}
}

// A daemon that answers 0 for what it has lost does so everywhere: one that it tells of a start
// that failed is no other defect.
func TestTheCodeOfWhatIsLostIsTheSameEverywhere(t *testing.T) {
	defect := func(scenario, id string, told int) Defect {
		at := slices.IndexFunc(causes, func(c Cause) bool { return c.ID == id })
		return Defect{Scenario: scenario, Symptom: trial.Symptom(trial.Wrong), Cause: causes[at],
			Level: trial.Must, Weight: Fails, told: &told, Trials: 3, Of: 3}
	}
	all := []Finding{{Verdict: trial.Fail, Arms: []Arm{{Defects: []Defect{
		defect("late-register", reaperHad, 0), defect("texts", "code-for-failed-start", 0),
		defect("start-errors", "code-for-failed-start", 7)}}}}}
	var got []string
	for _, found := range Causes(all) {
		for _, in := range found.Scenarios {
			got = append(got, found.ID+" "+in.Scenario)
		}
	}
	want := []string{"reaper-had-status late-register", "reaper-had-status texts", "code-for-failed-start start-errors"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// findingsOf are the findings of one daemon's recordings, all of which failed.
func findingsOf(t *testing.T, daemon string, info Info) []Finding {
	t.Helper()
	saved, err := filepath.Glob("testdata/causes/" + daemon + "-*" + recordingExt)
	if err != nil || len(saved) == 0 {
		t.Fatalf("no recordings of %s: %v", daemon, err)
	}
	var findings []Finding
	for _, path := range saved {
		a := savedArm(t, strings.TrimSuffix(filepath.Base(path), recordingExt), info, trial.Must)
		findings = append(findings, Finding{
			Scenario: trial.Scenario{ID: a.Plan.Scenario}, Verdict: trial.Fail, Arms: []Arm{a},
		})
	}
	return findings
}

// Who has one defect is told of one, in however many scenarios it shows, and of what
// fails nothing after that.
func TestOneDefectIsOneCause(t *testing.T) {
	found := Causes(findingsOf(t, "reaper-only", Info{Level: trial.Should}))
	if len(found) != 2 || found[0].ID != reaperHad || found[0].Level != trial.Must ||
		found[0].Weight != Fails || len(found[0].Scenarios) != 7 {
		t.Fatalf("%d causes: %+v", len(found), found)
	}
	if best := found[0].Best; best.Scenario != "reaper-wins" || best.Record == nil {
		t.Errorf("shown best by %s/%s", best.Scenario, best.Arm)
	}
	if found[0].Scenarios[0].Scenario != "reaper-wins" {
		t.Errorf("first in %s", found[0].Scenarios[0].Scenario)
	}
	if found[1].ID != "thread-per-command" || found[1].Weight != Shown {
		t.Errorf("%s %s", found[1].ID, found[1].Weight)
	}
}

// Two of two that a signal ended are lost by chance where others are lost too.
func TestAFewLostCodesAreNoChoice(t *testing.T) {
	findings := append(findingsOf(t, "reaper-only", Info{}), findingsOf(t, "in-c", Info{})...)
	for _, f := range Causes(findings) {
		if f.ID == "unknown-code-for-signals" {
			t.Errorf("%+v", f.Scenarios)
		}
	}
}

// Without a fault that says who came first no one is blamed.
func TestALostCodeAloneHasNoCulprit(t *testing.T) {
	findings := slices.DeleteFunc(findingsOf(t, "reaper-only", Info{}), func(f Finding) bool {
		return f.ID != "signals" && f.ID != "held-stdout"
	})
	if found := Causes(findings); len(found) != 1 || found[0].ID != "code-lost" {
		t.Errorf("%+v", found)
	}
}

// A daemon may have one code, such as 0, for all that its reaper took. It is the reaper's
// doing where the run shows that, and where the codes are the same.
func TestOneCodeForAllThatIsLostIsTheReapersDoing(t *testing.T) {
	taken := Defect{Scenario: "reaper-wins", Weight: Fails, Cause: CauseOf(evidence.Evidence{
		Fault: "hold reaper-wins", Way: trial.Way{Outcome: trial.Lost, Trials: 9}})}
	for _, c := range []struct {
		one, shown bool
		want       string
	}{{true, true, reaperHad}, {true, false, "wrong-code"}, {false, true, "wrong-code"}} {
		all := []Defect{{Scenario: "storm", Weight: Fails, Cause: CauseOf(evidence.Evidence{
			Way: trial.Way{Outcome: trial.Wrong, Trials: evidence.Enough, OneCode: c.one}})}}
		if c.shown {
			all = append(all, taken)
		}
		found := Causes([]Finding{{Verdict: trial.Fail, Arms: []Arm{{Defects: all}}}})
		if !slices.ContainsFunc(found, func(f Found) bool { return f.ID == c.want && f.In("storm") }) {
			t.Errorf("one code %v, reaper shown %v: %+v", c.one, c.shown, found)
		}
	}
}

// Outputs that end at many places are cut by chance, be they longer than a pipe or not.
func TestOutputsThatEndAtManyPlacesAreNotLimited(t *testing.T) {
	for _, c := range []struct {
		cuts []int
		want string
	}{{[]int{1 << 20, 1 << 20}, limited}, {[]int{1 << 16, 1 << 18}, limited},
		{[]int{1 << 20, 1 << 16}, "output-cut"}} {
		var all []Defect
		for _, at := range c.cuts {
			detail := fmt.Sprintf(`output differs at byte %d: %d bytes wanted "a", got %d bytes "a"`,
				at, 1<<24, at)
			way := trial.Way{Outcome: trial.Output, Trials: 1, First: trial.Record{Detail: detail}}
			arm := Arm{Summary: trial.Summary{Ways: []trial.Way{way}}}
			all = append(all, arm.defects(Info{}, trial.Scenario{ID: "output"})...)
		}
		found := Causes([]Finding{{Verdict: trial.Fail, Arms: []Arm{{Defects: all}}}})
		if len(found) != 1 || found[0].ID != c.want {
			t.Errorf("cut at %v: %+v", c.cuts, found)
		}
	}
}

// What goes wrong in orders of one kind alone, has what is special in it for a cause: a number
// that is used again, or a clock that is set.
func TestWhatGoesWrongInOneKindAlone(t *testing.T) {
	again := trial.Way{Outcome: trial.Hung, Kind: "number-used-again", Trials: 2}
	back := trial.Way{Outcome: trial.Hung, Kind: "clock-set-back", Trials: 2}
	ahead := trial.Way{Outcome: trial.Error, Kind: "clock-set-ahead", Trials: 1}
	one := trial.Way{Outcome: trial.Hung, Kind: "one", Trials: 1}
	for _, c := range []struct {
		want string
		ways []trial.Way // the first one is asked about
	}{
		{"another-owner", []trial.Way{again}},
		{"end-missed", []trial.Way{again, one}},
		{"wall-clock", []trial.Way{back, ahead}},
		{"wall-clock", []trial.Way{ahead}},
		{"end-missed", []trial.Way{back, one}},
	} {
		if got := CauseOf(evidence.Evidence{Way: c.ways[0], Ways: c.ways}); got.ID != c.want {
			t.Errorf("%s, want %s", got.ID, c.want)
		}
	}
}

// Whatever hangs in a daemon that answers nobody, it is that; what is wrong or lost is not.
func TestWhatHangsInADaemonThatStandsStill(t *testing.T) {
	for outcome, want := range map[trial.Outcome]string{
		trial.Hung: "stands-still", trial.Lost: "code-lost",
	} {
		way := trial.Way{Outcome: outcome, Kind: "too-long", Trials: 2}
		e := evidence.Evidence{Way: way, Ways: []trial.Way{way}, StandsStill: true}
		if got := CauseOf(e); got.ID != want {
			t.Errorf("%s: %s, want %s", outcome, got.ID, want)
		}
	}
}

// What an inconclusive scenario saw counts for nothing, and a waiver's failure stays a
// cause that fails nothing.
func TestCausesCountWhatFailed(t *testing.T) {
	findings := findingsOf(t, "naive", Info{Level: trial.Should})
	for i := range findings {
		findings[i].Verdict = trial.Inconclusive
	}
	for _, f := range Causes(findings) {
		if f.Weight == Fails {
			t.Errorf("%s fails without a failure", f.ID)
		}
	}
	for i := range findings {
		findings[i].Verdict, findings[i].Waived = trial.Fail, Accepted
	}
	for _, f := range Causes(findings) {
		if f.Weight == Fails {
			t.Errorf("%s fails, though a waiver accepts it", f.ID)
		}
	}
}

// A dialect can declare each choice that there is, and nothing else.
func TestTheDialectKnowsEachChoice(t *testing.T) {
	var schema struct {
		Properties struct {
			Declares struct {
				Description string
				Items       struct{ Enum []string }
			}
		}
	}
	if err := json.Unmarshal(targets.Schema, &schema); err != nil {
		t.Fatal(err)
	}
	declares := schema.Properties.Declares
	choices := Choices()
	slices.Sort(choices)
	if !slices.Equal(declares.Items.Enum, choices) {
		t.Errorf("the schema has %v, the causes %v", declares.Items.Enum, choices)
	}
	for _, c := range choices {
		if !strings.Contains(declares.Description, c+": ") {
			t.Errorf("the schema does not say what %s means", c)
		}
	}
}

// Each cause can be told from the others, and has its sentences.
func TestCausesAreWhole(t *testing.T) {
	first := map[string]Cause{}
	for _, c := range causes {
		if c.Title == "" || c.Look == "" || c.ID == "" || c.explains == nil {
			t.Errorf("%+v", c)
		}
		if c.under != "" && !slices.ContainsFunc(causes,
			func(o Cause) bool { return o.ID == c.under }) {
			t.Errorf("%s stands under %s, which there is not", c.ID, c.under)
		}
		if old, twice := first[c.ID]; twice && (old.Title != c.Title || old.Level != c.Level) {
			t.Errorf("%s is two causes", c.ID)
		}
		first[c.ID] = c
	}
}

// Of two causes that are as bad, the one that says why leads, whichever was found first.
func TestACauseThatSaysWhyLeads(t *testing.T) {
	var defects []Defect
	for _, id := range []string{noAnswer, "not-as-set"} {
		at := slices.IndexFunc(causes, func(c Cause) bool { return c.ID == id })
		defects = append(defects, Defect{Scenario: "environment", Cause: causes[at],
			Level: trial.Must, Weight: Fails})
	}
	found := Causes([]Finding{{Verdict: trial.Fail, Arms: []Arm{{Defects: defects}}}})
	if len(found) != 2 || found[0].ID != "not-as-set" || found[1].ID != noAnswer {
		t.Errorf("got %+v", found)
	}
}
