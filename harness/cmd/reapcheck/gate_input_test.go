package main

import (
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// Who can be given an input is judged by what becomes of it, and who has no field for it is
// not accused of that. The daemon in C has none, and only who names the dialect says so.
func TestInputsOfOthersTargets(t *testing.T) {
	foreign := func(dialect string) []string {
		return []string{"--binary=" + built(t, "foreign"), "--dialect=" + dialect,
			"--only=input,ten-at-once", "--", "--dialect", dialect}
	}
	inC := "--binary=" + inC(t)
	for name, c := range map[string]struct {
		argv    []string
		status  int
		verdict trial.Verdict
		said    string
	}{
		"with a field": {foreign("code"), exitPass, trial.Pass, "input: pass"},
		"without one": {foreign("sse"), exitPass, trial.Pass,
			"the dialect sse has no field for a command's input: input"},
		"ignores it": {[]string{inC, "--only=input,ten-at-once", "--", "sound"}, exitPass, trial.Pass,
			"the target ignores process-execute's field for an input"},
		"as it says": {[]string{inC, "--dialect=process-execute", "--only=input", "--", "sound"},
			exitFail, trial.Fail, "input-changed"},
		"and no more": {[]string{inC, "--only=input", "--", "sound"}, exitInfrastructure,
			trial.Inconclusive, "no scenario is left"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := gate(t, c.argv...)
			o.expect(t, c.status, c.verdict)
			o.expectSaid(t, c.said)
		})
	}
}
