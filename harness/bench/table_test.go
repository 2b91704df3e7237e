package bench

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Correctness stands beside cost, for each daemon that was measured.
func TestStrategiesSideBySide(t *testing.T) {
	r := good()
	r.Rates = append(r.Rates, Rate{
		Contestant: "locked", InFlight: claimLevel, P99: 9500, PerSecond: Spread{Median: 321},
		CPU: Micros{Daemon: 456}, Outcomes: Outcomes{trial.OK: 90, trial.Lost: 10},
	})
	r.Sleeps = append(r.Sleeps, Sleep{
		Strategy: "locked", InFlight: 1000, Before: Figures{Threads: 8, Files: 9},
		During: Figures{Threads: 1008, Files: 3009, RSS: 1000 * 50 << 10}, Outcomes: Outcomes{},
	})
	r.Leaks = append(r.Leaks, Leak{Strategy: "locked", Commands: 100, After: Figures{Zombies: 3},
		Outcomes: Outcomes{}})
	r.Gates = []Gate{{
		Contestant: "locked", Verdict: trial.Fail,
		Failed:   []GateFinding{{ID: "long-and-short", Reason: "2 hung | or so"}},
		Unproved: []GateFinding{{ID: "pid-reuse", Reason: "no leave to trace"}},
	}}
	text := r.Markdown()
	for _, want := range []string{
		"| locked | long-and-short; nothing proved: pid-reuse | 321 (10 of 100 not right) | 9.50 | 456 | " +
			"1.00, 50, 3 | nothing | reaped when no command runs; 3 zombies after 100 commands |",
		"| registry | not judged |", `2 hung \| or so`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("bench.md lacks %q:\n%s", want, text)
		}
	}
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	validate(t, raw)
}

// Each strategy has its row of what it needs.
func TestEveryStrategyIsKnownAbout(t *testing.T) {
	for _, s := range target.Strategies {
		if about[s].needs == "" || about[s].orphans == "" {
			t.Errorf("nothing is said about %s", s)
		}
	}
}
