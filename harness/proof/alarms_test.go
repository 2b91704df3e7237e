package proof

import (
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Whatever is no pass is an alarm, and the worst of them decides.
func TestAlarmsAreWhatDoesNotPass(t *testing.T) {
	pass := AlarmRun{Variant: "inside", Verdict: "pass"}
	fail := AlarmRun{Variant: "black box", Verdict: "fail"}
	unsure := AlarmRun{Variant: "inside", Verdict: "inconclusive"}
	broken := AlarmRun{Variant: "inside", Verdict: "inconclusive", Problem: "no engine"}
	for _, c := range []struct {
		runs    []AlarmRun
		verdict trial.Verdict
		problem string
		says    string
	}{
		{[]AlarmRun{pass, pass, pass}, trial.Pass, "", "false alarms: 0 in 3 runs, upper95 63.2%"},
		{[]AlarmRun{pass, unsure}, trial.Inconclusive, "", "false alarms: 1 in 2 runs"},
		{[]AlarmRun{unsure, fail}, trial.Fail, "", "false alarms: 2 in 2 runs, upper95 100%"},
		{[]AlarmRun{fail, broken}, trial.Fail, "no engine", "false alarms: 2 in 2 runs"},
		{nil, trial.Inconclusive, "", "false alarms: 0 in 0 runs"},
	} {
		all := Alarms{Runs: c.runs}
		var out strings.Builder
		if err := all.Table(&out); err != nil || !strings.Contains(out.String(), c.says) {
			t.Errorf("%q is not said, error %v:\n%s", c.says, err, &out)
		}
		if all.Verdict() != c.verdict || all.Problem() != c.problem {
			t.Errorf("%v: %v, problem %q", c.runs, all.Verdict(), all.Problem())
		}
	}
}

func TestAnAlarmNamesItsScenarios(t *testing.T) {
	var r AlarmRun
	r.Take(results.Run{Verdict: trial.Fail, Findings: []results.Finding{
		{Scenario: trial.Scenario{ID: "storm"}, Verdict: trial.Pass},
		{Scenario: trial.Scenario{ID: "idle"}, Verdict: trial.Fail, Reason: "candidate: spins"},
	}})
	if want := "idle: fail: candidate: spins"; r.Verdict != "fail" || len(r.Alarms) != 1 || r.Alarms[0] != want {
		t.Errorf("%+v, want one alarm %q", r, want)
	}
}
