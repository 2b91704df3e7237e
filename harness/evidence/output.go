package evidence

import (
	"regexp"
	"strconv"
	"strings"
)

// mismatch is how the judge tells of an output that is not what was written. The last part is
// what came from four bytes before the place on.
var mismatch = regexp.MustCompile(
	`^output differs at byte (\d+): (\d+) bytes wanted .* got (\d+) bytes (".*")`)

// CutAt is where the output ends too early, 0 where all of it is missing; -1 where something
// else is wrong with it. A character that is cut in two may have become another.
func (e Evidence) CutAt() int {
	found := mismatch.FindStringSubmatch(e.Way.First.Detail)
	if found == nil {
		return -1
	}
	var at, want, got int
	for i, n := range []*int{&at, &want, &got} {
		var err error
		if *n, err = strconv.Atoi(found[i+1]); err != nil {
			return -1
		}
	}
	const character = 8 // two that stand for what could not be read, and more
	if got-at > character || at > got || got >= want || at == 0 && got > 0 {
		return -1
	}
	if came, err := strconv.Unquote(found[4]); err != nil || !unreadable(came[min(4, at, len(came)):]) {
		return -1
	}
	return at
}

// unreadable says whether a text has only what stands for a character that could not be read.
func unreadable(text string) bool {
	return strings.Trim(text, "?\ufffd") == ""
}
