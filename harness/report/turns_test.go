package report

import (
	"strings"
	"testing"

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
