package trial

import "testing"

// Two pipes have no order between them; each of them has one, and loses nothing.
func TestTheOrderOfTwoStreams(t *testing.T) {
	want := Want{Output: "1 out\n1 err\n2 out\n2 err\n", Merged: true,
		Streams: [2]string{"1 out\n2 out\n", "1 err\n2 err\n"}}
	trimmed := want
	trimmed.Trimmed = true
	other := want
	other.Streams = [2]string{}
	for _, c := range []struct {
		want        Want
		got         string
		outcome     Outcome
		interleaved bool
	}{
		{want, want.Output, OK, false},
		{want, "1 out\n2 out\n1 err\n2 err\n", Output, true},
		{want, "1 err\n2 err\n1 out\n2 out\n", Output, true},
		{want, "1 o1 err\nut\n2 out\n2 err\n", Output, true}, // read by pieces
		{want, "1 out\n2 out\n1 err\n", Output, false},
		{want, "1 out\n2 out\n1 err\n2 err", Output, false},
		{want, "1 out\n2 out\n2 err\n1 err\n", Output, false},
		{want, "1 out\n2 out\n1 err\n2 err\nx", Output, false},
		{want, "1 out\n2 out\n1 err\n2 exx\n", Output, false},
		{want, "1 out\n2 out\n", Output, false},
		{want, "", Output, false},
		{trimmed, "1 out\n2 out\n1 err\n2 err", Output, true},
		{trimmed, "1 out\n2 out\n1 err\n2 er", Output, false},
		{trimmed, "", Output, false},
		{other, "1 out\n2 out\n1 err\n2 err\n", Output, false},
	} {
		outcome, why := Classify(c.want, Answer{Known: true, Output: c.got})
		r := Record{Outcome: outcome, Detail: why}
		if outcome != c.outcome || r.Interleaved() != c.interleaved {
			t.Errorf("%q: %s, interleaved %v: %s", c.got, outcome, r.Interleaved(), why)
		}
	}
}

func TestTheFirstByteThatDiffersNamesItsPart(t *testing.T) {
	w := Want{Output: "abcde", Parts: []Part{{"one", 2}, {"two", 3}}}
	for got, want := range map[string]string{
		"xbcde": "one", "a": "one", "": "one", "abde": "two", "abcdef": "", "abcde": "",
	} {
		if part := w.Part(got); part != want {
			t.Errorf("%q: %q, want %q", got, part, want)
		}
	}
}
