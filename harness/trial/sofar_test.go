package trial

import "testing"

func TestWhatWasWrittenBeforeATimeout(t *testing.T) {
	want := Want{Timeout: true, SoFar: true, Output: "begun", PrefixOnly: true}
	for output, outcome := range map[string]Outcome{"begun": OK, "begun, and more": OK,
		"beg": Output, "": Output} {
		if got, why := Classify(want, Answer{TimedOut: true, Output: output}); got != outcome {
			t.Errorf("%q: %s (%s), want %s", output, got, why, outcome)
		}
	}
	want.SoFar = false
	if got, why := Classify(want, Answer{TimedOut: true}); got != OK {
		t.Errorf("not asked for: %s (%s)", got, why)
	}
}
