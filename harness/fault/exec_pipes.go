package fault

import (
	"regexp"
	"strings"
)

// execPipes tells the pipe whose end says that exec is over from those that
// carry what a command writes. Both are at their end once for each command; but
// a command's own pipes are made its standard streams, by dup2(2) or dup3(2)
// before its exec, and the other one closes with exec.
//
// It is deceived by a target that learns of a command's end by a further pipe,
// which the command inherits under a number above 2.
type execPipes struct {
	// pipes are those that are a standard stream or have been a hit, by strace's
	// name for them, such as pipe:[4711].
	pipes map[string]bool
	// reading is what each thread has last begun to read in a call that did not
	// return at once.
	reading map[string]string
}

// How strace -y tells of the calls: in one line, or in two if others come
// between.
var (
	streamMade = regexp.MustCompile(`^\d+ +dup[23]\(\d+<(pipe:\[\d+\])>, [012]\D`)
	readBegun  = regexp.MustCompile(`^(\d+) +read\(\d+<([^>]*)>.*<unfinished \.\.\.>$`)
	endResumed = regexp.MustCompile(`^(\d+) +<\.\.\. read resumed>.* = 0 \(DELAYED\)$`)
	endRead    = regexp.MustCompile(`^(\d+) +read\(\d+<([^>]*)>.* = 0 \(DELAYED\)$`)
)

// tell takes every line, in order. A pipe hits once.
func (e execPipes) tell(line string) (thread string, hit bool) {
	if found := streamMade.FindStringSubmatch(line); found != nil {
		e.pipes[found[1]] = true
	} else if found := readBegun.FindStringSubmatch(line); found != nil {
		e.reading[found[1]] = found[2]
	} else if found := endRead.FindStringSubmatch(line); found != nil {
		return found[1], e.first(found[2])
	} else if found := endResumed.FindStringSubmatch(line); found != nil {
		return found[1], e.first(e.reading[found[1]])
	}
	return "", false
}

// first is true once for each pipe that is no standard stream, and for nothing
// else that can be read.
func (e execPipes) first(file string) bool {
	if !strings.HasPrefix(file, "pipe:") || e.pipes[file] {
		return false
	}
	e.pipes[file] = true
	return true
}
