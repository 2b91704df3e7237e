package trial

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Recordings come in pairs: what the judge must let pass, and the same with
// one thing wrong that it must see.
func TestJudgeOnSavedRecordings(t *testing.T) {
	for _, c := range []struct {
		baseline, candidate string
		want                Verdict
		reason              string // a part of it
	}{
		{"baseline-ok", "candidate-ok", Pass, ""},
		{"baseline-ok", "candidate-lost", Fail, "1 lost"},
		{"baseline-ok", "candidate-check", Fail, "zombies 3 instead of 0"},
		{"baseline-ok", "candidate-cut", Inconclusive, "cut after 2 of 3 trials"},
		{"baseline-ok", "candidate-short", Inconclusive, "1 of 3 trials are missing"},
		{"baseline-ok", "candidate-spare", Pass, ""},
		{"baseline-ok", "candidate-spare-short", Inconclusive, "1 of 3 trials are missing"},
		{"baseline-ok", "candidate-twice", Inconclusive, "recorded twice"},
		{"baseline-ok", "candidate-unchecked", Inconclusive, "2 checks were made, 1 are recorded"},
		{"baseline-ok", "candidate-torn", Inconclusive, "not JSON"},
		{"baseline-ok", "candidate-nofault", Inconclusive, "hit 0 times"},
		{"baseline-ok", "candidate-unjudged", Fail, "3 trials"},
		{"baseline-ok", "candidate-stopped", Inconclusive, "stopped at"},
		{"baseline-sound", "candidate-ok", Inconclusive, "baseline did not"},
		{"baseline-sound", "candidate-lost", Fail, "1 lost"},
		{"baseline-cut", "candidate-ok", Inconclusive, "cut"},
	} {
		t.Run(c.baseline+" with "+c.candidate, func(t *testing.T) {
			v, why := Judge([]Summary{saved(t, c.baseline), saved(t, c.candidate)})
			if v != c.want || !strings.Contains(why, c.reason) {
				t.Errorf("got %v (%s), want %v (%s)", v, why, c.want, c.reason)
			}
		})
	}
}

func saved(t *testing.T, name string) Summary {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name+".jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJudgeNeedsBothRoles(t *testing.T) {
	ok := saved(t, "candidate-ok")
	if v, _ := Judge([]Summary{ok, ok}); v != Inconclusive {
		t.Errorf("without a baseline: %v", v)
	}
	if v, _ := Judge(nil); v != Inconclusive {
		t.Errorf("without arms: %v", v)
	}
}

func TestAFailureIsNotHiddenByAnInconclusiveArm(t *testing.T) {
	arms := []Summary{saved(t, "baseline-ok"), saved(t, "candidate-cut"),
		saved(t, "candidate-lost")}
	if v, why := Judge(arms); v != Fail {
		t.Errorf("got %v (%s)", v, why)
	}
}

// A fault that ran into trouble may have caused the bad answers itself.
func TestATroubledFaultProvesNothing(t *testing.T) {
	bad := saved(t, "candidate-lost")
	bad.End.FaultNote = "a hold ran into its limit"
	if v, _ := Judge([]Summary{saved(t, "baseline-ok"), bad}); v != Inconclusive {
		t.Errorf("got %v", v)
	}
}

// An engine that is being stopped kills its containers, and requests fail.
func TestALostSandboxProvesNothing(t *testing.T) {
	bad := saved(t, "candidate-lost")
	bad.End.Void = "the engine stopped reporting"
	bad.Checks = []Check{{Name: "target", Want: "running", Got: "unknown"}}
	if v, why := Judge([]Summary{saved(t, "baseline-ok"), bad}); v != Inconclusive ||
		why != "candidate: the engine stopped reporting" {
		t.Errorf("got %v (%s)", v, why)
	}
}

// Whatever a witness says, it is neither judged nor one of the two sides.
func TestAWitnessIsNotJudged(t *testing.T) {
	witness := saved(t, "candidate-lost")
	witness.Plan.Role, witness.Plan.Claim = Witness, NoClaim
	if v, why := Judge([]Summary{saved(t, "baseline-ok"), saved(t, "candidate-ok"),
		witness}); v != Pass {
		t.Errorf("beside a pass: %v (%s)", v, why)
	}
	if v, _ := Judge([]Summary{saved(t, "baseline-ok"), witness}); v != Inconclusive {
		t.Errorf("in place of a candidate: %v", v)
	}
}

func TestZeroVerdictIsNotAPass(t *testing.T) {
	var zero Verdict
	if zero.String() != "inconclusive" || Verdict(17).String() != "inconclusive" {
		t.Error("an unset verdict must read as inconclusive")
	}
}

func TestClaims(t *testing.T) {
	counts := func(ok, lost, wrong int) map[Outcome]int {
		return map[Outcome]int{OK: ok, Lost: lost, Wrong: wrong}
	}
	failed := []Check{{Name: "zombies", Want: "0", Got: "3"}}
	for _, c := range []struct {
		claim  Claim
		counts map[Outcome]int
		checks []Check
		holds  bool
	}{
		{Clean, counts(10, 0, 0), nil, true},
		{Clean, counts(9, 1, 0), nil, false},
		{Clean, counts(9, 0, 1), nil, false},
		{Clean, counts(10, 0, 0), failed, false},
		{Recovers, counts(6, 4, 0), failed, true},
		{Recovers, counts(5, 5, 0), nil, false},
		{Loses, counts(9, 1, 0), nil, true},
		{Loses, counts(10, 0, 0), nil, false},
		{Loses, counts(9, 0, 1), nil, false},
		{LosesAll, counts(0, 10, 0), nil, true},
		{LosesAll, counts(1, 9, 0), nil, false},
		{Misleads, counts(9, 0, 1), nil, true},
		{Misleads, counts(9, 1, 0), failed, false},
		{Misbehaves, counts(9, 0, 1), nil, true},
		{Misbehaves, counts(10, 0, 0), failed, true},
		{Misbehaves, counts(10, 0, 0), nil, false},
		{"", counts(10, 0, 0), nil, false},
		{"tidy", counts(10, 0, 0), nil, false},
	} {
		s := Summary{Plan: Plan{Claim: c.claim, Trials: 10}, Counts: c.counts, Trials: 10,
			Checks: c.checks}
		if got := s.brokenClaim() == ""; got != c.holds {
			t.Errorf("%q on %v %v: holds=%v, want %v", c.claim, c.counts, c.checks, got, c.holds)
		}
	}
}

// An arm that was to go on until it shows its claim is complete once it has, and
// not before.
func TestAnArmIsOverWithWhatItHasShown(t *testing.T) {
	for _, c := range []struct {
		untilShown bool
		hit        bool
		claim      Claim
		outcome    Outcome
		want       Verdict
	}{
		{true, true, Loses, Lost, Pass},
		{true, false, Loses, Lost, Inconclusive}, // lost, and not by the fault
		{true, true, Misleads, Wrong, Pass},
		{true, true, Misleads, Lost, Inconclusive},
		{true, false, Loses, OK, Inconclusive},
		{true, false, LosesAll, Lost, Inconclusive},
		{true, false, Recovers, OK, Inconclusive},
		{false, false, Loses, Lost, Inconclusive},
	} {
		s := Summary{
			Plan:   Plan{Role: Baseline, Claim: c.claim, Trials: 10, UntilShown: c.untilShown},
			Counts: map[Outcome]int{OK: 2, c.outcome: 1}, Trials: 3, Ended: true,
		}
		if c.hit {
			s.End.ShownBy = new(2)
		}
		if got, why := s.Judge(); got != c.want {
			t.Errorf("%+v: %v (%s)", c, got, why)
		}
	}
}

func TestOverall(t *testing.T) {
	for _, c := range []struct {
		in   []Verdict
		want Verdict
	}{
		{nil, Inconclusive},
		{[]Verdict{Pass, Pass}, Pass},
		{[]Verdict{Pass, Inconclusive}, Inconclusive},
		{[]Verdict{Inconclusive, Fail}, Fail},
		{[]Verdict{Fail, Inconclusive}, Fail},
	} {
		if got := Overall(c.in); got != c.want {
			t.Errorf("%v: got %v, want %v", c.in, got, c.want)
		}
	}
}

func TestClassify(t *testing.T) {
	want := Want{Code: 2, Output: "abc\n"}
	code := func(n int, out string) Answer { return Answer{Known: true, Code: n, Output: out} }
	for _, c := range []struct {
		name string
		want Want
		got  Answer
		out  Outcome
	}{
		{"right", want, code(2, "abc\n"), OK},
		{"unknown", want, Answer{Unknown: true, Output: "abc\n"}, Lost},
		{"another code", want, code(0, "abc\n"), Wrong},
		{"a foreign -1", want, code(-1, "abc\n"), Wrong},
		{"truncated", want, code(2, "ab"), Output},
		{"somebody else's", want, code(2, "xyz\n"), Output},
		{"any output", Want{Code: 2, AnyOutput: true}, code(2, "xyz"), OK},
		{"HTTP error", want, Answer{Message: "HTTP 500"}, Error},
		{"zero answer", want, Answer{}, Error},
		{"hung", want, Answer{Hung: true}, Hung},
		{"cut short as asked", Want{Timeout: true}, Answer{TimedOut: true}, OK},
		{"timeout ignored", Want{Timeout: true}, code(0, ""), Error},
		{"cut short unasked", want, Answer{TimedOut: true}, Error},
		{"a code that also means timeout", want,
			Answer{Known: true, Code: 2, TimedOut: true, Output: "abc\n"}, OK},
		{"a code that also means unknown", want,
			Answer{Known: true, Code: 2, Unknown: true, Output: "abc\n"}, OK},
		{"unknown by a number that is a code", want, Answer{Known: true, Code: 255, Unknown: true},
			Lost},
		{"not started as expected", Want{Code: 127, StartError: true}, Answer{NotStarted: true},
			OK},
		{"127 where a start error would do", Want{Code: 127, StartError: true}, code(127, ""), OK},
		{"0 where a start error would do", Want{Code: 127, StartError: true}, code(0, ""), Wrong},
		{"not started, and it should", want, Answer{NotStarted: true, Message: "HTTP 500"}, Error},
		{"trimmed", Want{Code: 2, Output: "abc\n", Trimmed: true}, code(2, "abc"), OK},
		{"not run as wanted", Want{NotRun: true}, Answer{Failed: true, Message: "HTTP 400"}, OK},
		{"not run, says the wire", Want{NotRun: true}, Answer{Message: "connection reset"}, Error},
		{"a code for what cannot run", Want{NotRun: true},
			Answer{Failed: true, Known: true, Code: 127}, Wrong},
		{"the number that is the word for it", Want{NotRun: true},
			Answer{NotStarted: true, Known: true, Code: 127}, OK},
		{"that number where any code will do", Want{Code: 127, Output: "abc\n", MayNotRun: true},
			Answer{NotStarted: true, Known: true, Code: 127}, OK},
		{"0 for what cannot run", Want{NotRun: true}, Answer{Failed: true, Known: true}, Wrong},
		{"unknown for what cannot run", Want{NotRun: true}, Answer{Failed: true, Unknown: true},
			Lost},
		{"not run where that will do", Want{Code: 2, MayNotRun: true}, Answer{NotStarted: true},
			OK},
		{"run where not running will do", Want{Code: 2, Output: "abc\n", MayNotRun: true},
			code(2, "abc\n"), OK},
		{"run wrongly where not running will do", Want{Code: 2, MayNotRun: true}, code(1, ""),
			Wrong},
		{"trimmed too far", Want{Code: 2, Output: "abc\n", Trimmed: true}, code(2, "ab"), Output},
	} {
		if got, why := Classify(c.want, c.got); got != c.out || got == OK && why != "" {
			t.Errorf("%s: got %q (%s), want %q", c.name, got, why, c.out)
		}
	}
}

func TestReadRefusesForeignLines(t *testing.T) {
	for _, text := range []string{
		`{"trial":{"i":0,"outcome":"ok"}}`,
		"{\"plan\":{\"trials\":1}}\n{}",
		"{\"plan\":{\"trials\":1}}\n{\"plan\":{}}",
		"{\"plan\":{\"trials\":1}}\n{\"trial\":{\"i\":1,\"outcome\":\"ok\"}}",
		"{\"plan\":{\"trials\":1}}\n{\"end\":{}}\n{\"trial\":{\"i\":0,\"outcome\":\"ok\"}}",
		"{\"plan\":{\"trials\":1}}\n{\"trial\":{\"i\":0,\"outcome\":\"lost\",\"detail\":\"" +
			strings.Repeat("x", maxLine) + "\"}}",
	} {
		s, err := Read(strings.NewReader(text))
		if err != nil || s.Damage == "" {
			t.Errorf("%.100q: damage %q, error %v", text, s.Damage, err)
		}
	}
}

func TestSummaryKeepsOnlyTheFirstBadTrials(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"plan":{"trials":100}}` + "\n")
	for i := range 100 {
		fmt.Fprintf(&b, `{"trial":{"i":%d,"outcome":"lost","atUs":%d,"us":7}}`+"\n", i, i*1000)
	}
	s, err := Read(strings.NewReader(b.String()))
	if err != nil || len(s.Bad) != KeptBad || s.Counts[Lost] != 100 {
		t.Errorf("kept %d, counted %d, error %v", len(s.Bad), s.Counts[Lost], err)
	}
	if len(s.Micros) != 100 || s.Took != 99007*time.Microsecond {
		t.Errorf("%d times, the last after %v", len(s.Micros), s.Took)
	}
}
