package trial

import "testing"

// An output that was cut has its beginning or its end.
func TestAnOutputThatWasCut(t *testing.T) {
	want := Want{Output: "begins", PrefixOnly: true, OrEnds: "ends"}
	for output, outcome := range map[string]Outcome{"begins, and mo": OK, "re, and ends": OK,
		"ins, and mo": Output, "ds begins, and en": Output, "": Output} {
		if got, why := Classify(want, Answer{Known: true, Output: output}); got != outcome {
			t.Errorf("%q: %s (%s), want %s", output, got, why, outcome)
		}
	}
}
