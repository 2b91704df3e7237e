package report

import (
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/results"
	"github.com/reapcheck/reapcheck/harness/trial"
)

func TestOrderOnLanes(t *testing.T) {
	steps := []trial.Step{
		{Lane: "command", Name: "exit", Text: "command 1 ends"},
		{Lane: "reaper", Name: "take", Text: "takes it, before start"},
		{Lane: "nobody", Name: "odd", Text: "is not\ndrawn"},
	}
	lanes, moments := drawOrder(steps)
	if n := len(lanes); n != 6 {
		t.Fatalf("%d lanes, not 6", n)
	}
	if p := lanes[1].Points; len(p) != 1 || p[0].Number != 1 || p[0].X != 4 {
		t.Errorf("the command's lane has %v, not its end at the left", p)
	}
	if p := lanes[3].Points; len(p) != 1 || p[0].Number != 2 || p[0].X != 50 {
		t.Errorf("the reaper's lane has %v, not the second event in the middle", p)
	}
	if len(moments) != 3 || moments[1].After != "take" ||
		moments[1].What != "takes it, before start" {
		t.Errorf("the list is %v", moments)
	}
	if text := orderText(steps); strings.Count(text, "\n") != len(steps) {
		t.Errorf("not one line for each event:\n%s", text)
	}
}

func TestLongOrderIsCut(t *testing.T) {
	if _, moments := drawOrder(make([]trial.Step, 2*mostTurns)); len(moments) != mostTurns {
		t.Errorf("%d events are drawn, not %d", len(moments), mostTurns)
	}
}

// How many orders were taken by chance is counted from the recording.
func TestWalksAreCountedFromTheRecording(t *testing.T) {
	recording := `{"plan":{"run":"r","scenario":"orders","arm":"candidate","role":"candidate","trials":3,"seed":7}}
{"trial":{"i":0,"kind":"two","want":0,"outcome":"ok","atUs":0,"us":1}}
{"trial":{"i":1,"kind":"two","want":0,"outcome":"ok","atUs":0,"us":1,"walk":1}}
{"trial":{"i":2,"kind":"two","want":0,"outcome":"ok","atUs":0,"us":1,"walk":2}}
{"end":{"faultHits":0,"tried":"two: 1 orders were tried","startUs":0}}
`
	s, err := trial.Read(strings.NewReader(recording))
	if err != nil || s.Damage != "" {
		t.Fatal(err, s.Damage)
	}
	run := results.Run{Findings: []results.Finding{{
		Scenario: trial.Scenario{ID: "orders"}, Arms: []results.Arm{{Summary: s}},
	}}}
	const want = "orders: two: 1 orders were tried; where not every order was, 2 random walks from seed 7 followed."
	if notes := searched(run); len(notes) != 1 || notes[0] != want {
		t.Errorf("notes %q", notes)
	}
}
