package main

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// Who reads the output of a run may go, as head(1) does. The run comes to its end all the same:
// it was not killed, so it has taken down what it started.
func TestARunWhoseReaderGoesEndsInOrder(t *testing.T) {
	t.Parallel()
	cmd, parent := gateCommand(t, "--binary="+built(t, "foreign"), "--dialect=words",
		"--only=exit-codes,ten-at-once", "--",
		"--dialect=words")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = io.Discard
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for line := ""; !strings.Contains(line, "expect about"); { // it is under way
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	out.Close()
	if cmd.Wait(); !cmd.ProcessState.Exited() {
		t.Errorf("it ended by %v", cmd.ProcessState)
	}
	if run := (outcome{parent: parent}).load(t); run.Verdict != trial.Pass {
		t.Errorf("%v, problem %q", run.Verdict, run.Info.Problem)
	}
}
