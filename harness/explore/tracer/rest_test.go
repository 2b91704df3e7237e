package tracer

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// A parent in fork(2) that nothing can wake waits for a child that is held, or for the
// kernel: only the first is a rest.
func TestAForkWaitsForAChildThatIsHeld(t *testing.T) {
	parent := &thread{tid: 1}
	child := &thread{tid: 2, command: &command{pid: 2}}
	tr := &tracer{threads: map[int]*thread{1: parent}}
	inFork := trace.Sleep{Deep: true, Call: trace.Call{Number: unix.SYS_CLONE}}
	if tr.waits(parent, inFork) {
		t.Error("it waits for the kernel, and nobody is held")
	}
	tr.threads[2] = child
	if tr.waits(parent, inFork) {
		t.Error("its child runs")
	}
	if child.stopped = true; !tr.waits(parent, inFork) {
		t.Error("its child is held")
	}
	if child.command.exec = true; tr.waits(parent, inFork) {
		t.Error("its child has executed a program, so it does not wait for that one")
	}
}
