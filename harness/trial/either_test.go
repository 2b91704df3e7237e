package trial

import "testing"

// Where two answers are right, each of them is, and a third is not.
func TestEitherAnswerIsRight(t *testing.T) {
	either := Want{Code: 7, MayTimeout: true}
	for _, c := range []struct {
		want Want
		got  Answer
		is   Outcome
	}{
		{either, Answer{Known: true, Code: 7}, OK},
		{either, Answer{TimedOut: true}, OK},
		{either, Answer{Unknown: true}, Lost},
		{either, Answer{Known: true, Code: 8}, Wrong},
		{Want{NotRun: true, MayTimeout: true}, Answer{TimedOut: true}, OK},
		{Want{NotRun: true}, Answer{TimedOut: true}, Error},
		{Want{Anything: true}, Answer{Message: "connection reset"}, OK},
		{Want{Anything: true}, Answer{Hung: true}, Hung},
	} {
		if got, _ := Classify(c.want, c.got); got != c.is {
			t.Errorf("%+v for %+v: %s, want %s", c.got, c.want, got, c.is)
		}
	}
}
