package trial

import "strings"

// interleaved is how the judge begins to tell of an output that has all that was written to
// both streams, in another order between the two.
const interleaved = "the two streams are whole, in another order between them: "

// Interleaved says whether no more was wrong with the trial than the order between what the
// command wrote to standard output and what it wrote to standard error. Whoever reads them
// from two pipes cannot know it: a pipe has an order of its own and none with another
// (pipe(7)).
func (r Record) Interleaved() bool {
	return r.Outcome == Output && strings.HasPrefix(r.Detail, interleaved)
}

// interleaves says whether the output has each byte of both streams, each stream in order.
func (w Want) interleaves(got string) bool {
	out, err := w.Streams[0], w.Streams[1]
	missing := len(out) + len(err) - len(got)
	if out == "" || err == "" || missing < 0 {
		return false
	}
	for n, merged := range mergedUpTo(out, err, got) {
		if merged && (missing == 0 || w.Trimmed &&
			strings.TrimSpace(out[n:]+err[len(got)-n:]) == "") {
			return true
		}
	}
	return false
}

// mismatch says what is wrong with an output.
func (w Want) mismatch(got string) string {
	told := outputMismatch(w.Output, got)
	if w.interleaves(got) {
		return interleaved + told
	}
	return told
}

// mergedUpTo says for each n whether merged can be the first n bytes of a with what else
// there is of b.
func mergedUpTo(a, b, merged string) []bool {
	now := make([]bool, len(a)+1)
	now[0] = true
	for at := range len(merged) {
		for n := min(at+1, len(a)); n >= 0; n-- {
			ofB := at - n // how much of b had gone before, if this byte is b's
			now[n] = now[n] && ofB >= 0 && ofB < len(b) && b[ofB] == merged[at] ||
				n > 0 && now[n-1] && a[n-1] == merged[at]
		}
	}
	return now
}
