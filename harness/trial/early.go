package trial

import "time"

// early is what a target may round off a timeout, and its clock with it.
const early = 50 * time.Millisecond

// TooEarly says whether a timeout is told that cannot have come yet: the target was
// given the limit no sooner than the client sent it. However slow a machine is, it
// makes answers later.
func TooEarly(want Want, got Answer, limit, took time.Duration) bool {
	if !got.TimedOut || want.Anything || want.code() && got.Known && got.Code == want.Code {
		return false
	}
	return limit > 0 && took < limit-early
}
