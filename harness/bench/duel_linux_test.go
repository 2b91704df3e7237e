package bench

import (
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/compare"
	"github.com/reapcheck/reapcheck/harness/target"
)

// Both sides are measured, each with fresh instances, and what they leave is looked at.
func TestASmallDuel(t *testing.T) {
	b := small(t)
	b.Turn, b.Commands = 20*time.Millisecond, 2*looks
	d := &Duel{
		Bench: *b, Rounds: 1, InFlight: 2,
		A: target.Reference(registry), B: target.Reference("subscribed"),
	}
	report := compare.NewReport()
	if err := d.Fight(t.Context(), report); err != nil {
		t.Fatal(err)
	}
	a := report.Answers
	if a.OfA == 0 || a.OfB == 0 || a.BadA+a.BadB > 0 {
		t.Errorf("answers: %+v", a)
	}
	if len(report.Differences) != 5 || len(report.Latencies.A) != len(report.Latencies.Percents) {
		t.Errorf("%d differences, %d latencies", len(report.Differences), len(report.Latencies.A))
	}
	for _, f := range report.Differences {
		if f.A <= 0 || f.B <= 0 || f.Word != compare.Unknown {
			t.Errorf("of one round: %+v", f)
		}
	}
	if l := report.Leaks; l == nil || len(l.B.Memory) != looks || l.B.Commands[looks-1] != 2*looks {
		t.Errorf("leaks: %+v", l)
	}
}

// A daemon that does not start cannot be measured.
func TestADuelWithoutB(t *testing.T) {
	b := small(t)
	b.Turn, b.Commands = 20*time.Millisecond, 0
	d := &Duel{
		Bench: *b, Rounds: 1, InFlight: 1, A: target.Reference(registry),
		B: target.Target{
			Binary: "/bin/sh", Dialect: target.Reference(registry).Dialect,
			Args: []string{"-c", "exit 3"},
		},
	}
	report := compare.NewReport()
	if err := d.Fight(t.Context(), report); err == nil {
		t.Errorf("a daemon that does not start was measured: %+v", report)
	}
}
