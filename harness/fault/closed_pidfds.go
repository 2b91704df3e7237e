package fault

import "regexp"

// closedPidfds finds the ends of close(2) of pidfds in the lines of strace -y. It
// holds the threads that have begun one, where others' lines come between.
type closedPidfds map[string]bool

var (
	closeBegun = regexp.MustCompile(
		`^(\d+) +close\(\d+<(?:anon_inode:\[pidfd\]|pid:\d+)>.*<unfinished \.\.\.>$`)
	closeResumed = regexp.MustCompile(`^(\d+) +<\.\.\. close resumed>.* = 0 \(DELAYED\)$`)
	closeEnded   = regexp.MustCompile(
		`^(\d+) +close\(\d+<(?:anon_inode:\[pidfd\]|pid:\d+)>\) += 0 \(DELAYED\)$`)
)

// tell takes every line, in order.
func (c closedPidfds) tell(line string) (thread string, hit bool) {
	if found := closeBegun.FindStringSubmatch(line); found != nil {
		c[found[1]] = true
	} else if found := closeEnded.FindStringSubmatch(line); found != nil {
		return found[1], true
	} else if found := closeResumed.FindStringSubmatch(line); found != nil && c[found[1]] {
		delete(c, found[1])
		return found[1], true
	}
	return "", false
}
