package results

import (
	"testing"

	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// What a kind of command alone shows has its own cause, and what it shares with others has theirs.
func TestCausesOfOneKindOfCommandAlone(t *testing.T) {
	for _, c := range []struct {
		kind, also, detail string
		outcome            trial.Outcome
		want               string
	}{
		{"after-timeouts", "after-kills", "", trial.Error, "refused-after-failures"},
		{"after-timeouts", "timeouts", "", trial.Error, "refused-after-failures"},
		{"after-timeouts", "instant", "HTTP 503", trial.Error, "no-answer"},
		{"silent-closed", "", "", trial.Wrong, "ended-with-its-output"},
		{"silent-closed", "silent", "", trial.Wrong, "wrong-code"},
		{"asked-piece", "", timeoutClaimed + " a command", trial.Error, "timeout-claimed"},
		{"asked-piece", "", "HTTP 400", trial.Error, "other-clients"},
	} {
		way := trial.Way{Outcome: c.outcome, Kind: c.kind, Trials: 1}
		way.First.Detail = c.detail
		e := evidence.Evidence{Symptom: trial.Symptom(c.outcome), Way: way, Ways: []trial.Way{way}}
		if c.also != "" {
			way.Kind = c.also
			e.Ways = append(e.Ways, way)
		}
		if got := CauseOf(e); got.ID != c.want {
			t.Errorf("%s and %q, %q: %s, want %s", c.kind, c.also, c.detail, got.ID, c.want)
		}
	}
}
