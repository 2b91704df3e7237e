package results

import (
	"regexp"
	"strings"

	"github.com/reapcheck/reapcheck/harness/printable"
)

// complains are the words by which a program says that something has gone wrong with itself.
var complains = regexp.MustCompile(`(?i)\bpanic|\btraceback\b|\bfatal\b|\bassert|exception\b`)

// announces is a line behind which a trace comes, and what it is of: Python's of a thread begins
// with two of them.
var announces = regexp.MustCompile(`(?i)\btraceback\b`)

// complaintLength bounds what is quoted of a log.
const complaintLength = 300

// complaint is what a log says of something that has gone wrong in the program itself; empty
// if there is nothing of the kind. Python's last line says what it was, and Rust's second.
func complaint(log []byte) string {
	lines := strings.Split(string(log), "\n")
	for i, line := range lines {
		if !complains.MatchString(line) {
			continue
		}
		told := strings.TrimSpace(line)
		for _, next := range lines[i+1:] {
			trace := strings.HasPrefix(next, " ") || strings.HasPrefix(next, "\t")
			if trace || strings.TrimSpace(next) == "" {
				continue
			}
			told += " " + strings.TrimSpace(next)
			if !announces.MatchString(next) {
				break
			}
		}
		return printable.Clip(told, complaintLength)
	}
	return ""
}
