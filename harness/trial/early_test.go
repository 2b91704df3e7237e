package trial

import (
	"testing"
	"time"
)

func TestATimeoutCannotComeBeforeItsLimit(t *testing.T) {
	const limit = 1500 * time.Millisecond
	timedOut := Answer{TimedOut: true}
	for name, c := range map[string]struct {
		want Want
		got  Answer
		took time.Duration
		bad  bool
	}{
		"at its limit":                {Want{Timeout: true}, timedOut, limit, false},
		"rounded":                     {Want{Timeout: true}, timedOut, limit - 2*time.Millisecond, false},
		"late":                        {Want{Timeout: true}, timedOut, time.Minute, false},
		"a second of one and a half":  {Want{Timeout: true}, timedOut, time.Second, true},
		"just then, and too early":    {Want{MayTimeout: true}, timedOut, time.Second, true},
		"ended by itself":             {Want{Code: 7}, Answer{Known: true, Code: 7}, 0, false},
		"its own code is the word":    {Want{Code: 124, MayTimeout: true}, Answer{TimedOut: true, Known: true, Code: 124}, 0, false},
		"the word is a code, unasked": {Want{Timeout: true}, Answer{TimedOut: true, Known: true, Code: 124}, time.Second, true},
		"anything goes":               {Want{Anything: true}, timedOut, 0, false},
	} {
		if bad := TooEarly(c.want, c.got, limit, c.took); bad != c.bad {
			t.Errorf("%s: too early is %v, want %v", name, bad, c.bad)
		}
	}
	if TooEarly(Want{Timeout: true}, timedOut, 0, 0) {
		t.Error("a timeout without a limit has no time to come too early")
	}
}
