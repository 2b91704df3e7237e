package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Whatever is no pass is an alarm, and the worst of them decides.
func TestAlarmsAreWhatDoesNotPass(t *testing.T) {
	pass := alarmRun{Turn: "inside", Verdict: "pass"}
	fail := alarmRun{Turn: "black box", Verdict: "fail"}
	unsure := alarmRun{Turn: "inside", Verdict: "inconclusive"}
	broken := alarmRun{Turn: "inside", Verdict: "inconclusive", Problem: "no engine"}
	for _, c := range []struct {
		runs   []alarmRun
		status int
		says   string
	}{
		{[]alarmRun{pass, pass, pass}, exitPass, "false alarms: 0 in 3 runs, upper95 63.2%"},
		{[]alarmRun{pass, unsure}, exitInconclusive, "false alarms: 1 in 2 runs"},
		{[]alarmRun{unsure, fail}, exitFail, "false alarms: 2 in 2 runs, upper95 100%"},
		{[]alarmRun{fail, broken}, exitInfrastructure, "false alarms: 2 in 2 runs"},
		{nil, exitInconclusive, "false alarms: 0 in 0 runs"},
	} {
		all := alarms{Runs: c.runs}
		var out strings.Builder
		if err := all.table(&out); err != nil || !strings.Contains(out.String(), c.says) {
			t.Errorf("%q is not said, error %v:\n%s", c.says, err, &out)
		}
		var e exit
		if errors.As(all.status(), &e); e.status != c.status {
			t.Errorf("%v: exit status %d, want %d", c.runs, e.status, c.status)
		}
	}
}

func TestAnAlarmNamesItsScenarios(t *testing.T) {
	var r alarmRun
	r.take(results.Run{Verdict: trial.Fail, Findings: []results.Finding{
		{Scenario: trial.Scenario{ID: "storm"}, Verdict: trial.Pass},
		{Scenario: trial.Scenario{ID: "idle"}, Verdict: trial.Fail, Reason: "candidate: spins"},
	}})
	if want := "idle: fail: candidate: spins"; r.Verdict != "fail" || len(r.Alarms) != 1 || r.Alarms[0] != want {
		t.Errorf("%+v, want one alarm %q", r, want)
	}
}
