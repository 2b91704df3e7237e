package evidence

import (
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

func TestAKindIsFoundBesideOthers(t *testing.T) {
	for _, c := range []struct {
		kind string
		of   []string
		want bool
	}{
		{"silent", []string{"silent"}, true},
		{"silent", []string{"sil"}, false},
		{"overtime-shell", []string{"overtime-"}, true},
		{"overtime", []string{"overtime-"}, false},
		{"writes+given-much+folder", []string{"given-"}, true},
		{"writes+given-much+folder", []string{"much"}, false},
		{"silent", nil, false},
	} {
		e := Evidence{Way: trial.Way{Kind: c.kind}}
		if got := e.Of(c.of...); got != c.want {
			t.Errorf("%q of %q: %v", c.kind, c.of, got)
		}
	}
}

func TestWhereAnOutputIsCut(t *testing.T) {
	for detail, want := range map[string]int{
		`output differs at byte 4: 10 bytes wanted "aaaabb", got 4 bytes "aaaa"`: 4,
		// Half a character.
		`output differs at byte 4: 10 bytes wanted "aaaaé", got 7 bytes "aaaa\ufffd"`: 4,
		// Another character near the end.
		`output differs at byte 4: 7 bytes wanted "aaaae\u0301\n", got 6 bytes "aaaaé\n"`: -1,
		`output differs at byte 4: 7 bytes wanted "aaaa\u00a0|", got 6 bytes "aaaa?|"`:    -1,
		`output differs at byte 0: 10 bytes wanted "aaaa", got 0 bytes ""`:                0,
		`output differs at byte 0: 10 bytes wanted "aaaa", got 4 bytes "bbbb"`:            -1,
		`output differs at byte 4: 10 bytes wanted "aaaabb", got 12 bytes "aaaabbbbbbbb"`: -1,
		"no exit code": -1,
	} {
		e := Evidence{Way: trial.Way{First: trial.Record{Detail: detail}}}
		if got := e.CutAt(); got != want {
			t.Errorf("%s: %d, want %d", detail, got, want)
		}
	}
}

func TestWhatAnArmLeaves(t *testing.T) {
	s := trial.Summary{Checks: []trial.Check{
		{Name: leftProcesses, Want: "0", Got: "3 (sh, sh, sleep)"},
		{Name: Zombies, Want: "0", Got: "2"},
		{Name: Target, Want: Runs, Got: "exited 2"},
	}}
	e := Of(&s)
	if e.Left != 3 || e.Zombies != 2 || !e.Ended {
		t.Fatalf("%+v", e)
	}
	if e.AllEnded() {
		t.Error("one of the three still runs")
	}
	if e = e.OfCheck(s.Checks[0]); !e.Leaves() || !e.Fails(leftProcesses) || e.Fails(Zombies) {
		t.Errorf("%+v", e)
	}
}

// A race that is forced shows in what goes right without the fault.
func TestWhatGoesWrongWithoutAFaultToo(t *testing.T) {
	way := trial.Way{Kind: "stopped", Outcome: trial.Lost, Trials: 9}
	for _, c := range []struct {
		plain trial.Way
		first bool
	}{
		{way, false},
		{trial.Way{Kind: "stopped", Outcome: trial.Wrong}, true},
		{trial.Way{Kind: "killed", Outcome: trial.Lost}, true},
	} {
		e := Evidence{Fault: "hold reaper-wins", Plain: []trial.Way{c.plain}}.OfWay(way)
		if e.ReaperFirst() != c.first {
			t.Errorf("beside %+v: %v", c.plain, !c.first)
		}
	}
}

// A mixture blames one of its traits if most that have it went wrong so.
func TestATraitIsBlamedForMostThatHaveIt(t *testing.T) {
	ways := []trial.Way{{Kind: "asked-chunked+silent", Outcome: trial.Output, Trials: 1}}
	for name, c := range map[string]struct {
		kinds map[string]int
		want  bool
	}{
		"one of one":  {map[string]int{"asked-chunked+silent": 1}, true},
		"one of two":  {map[string]int{"asked-chunked+silent": 1, "asked-chunked": 1}, true},
		"one of four": {map[string]int{"asked-chunked+silent": 1, "asked-chunked+long": 3}, false},
		"others went right": {
			map[string]int{"asked-chunked+silent": 1, "asked-escaped+long": 1, "silent": 9}, true},
	} {
		e := Evidence{Kinds: c.kinds, Ways: ways}.OfWay(ways[0])
		if got := e.Mostly("asked-"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	alone := Evidence{Kinds: map[string]int{"asked-chunked": 9}}.
		OfWay(trial.Way{Kind: "asked-chunked", Outcome: trial.Output, Trials: 1})
	if !alone.Mostly("asked-") {
		t.Error("a command that has no other trait is not blamed on it")
	}
}
