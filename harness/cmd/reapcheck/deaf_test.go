package main

import (
	"bufio"
	"io"
	"strings"
	"testing"
)

// Who reads the output of a run may go, as head(1) does. The run ends in order then: it was not
// killed, so it has taken down what it started.
func TestARunWhoseReaderGoesEndsInOrder(t *testing.T) {
	t.Parallel()
	cmd, parent := gateCommand(t, "--binary="+built(t, "foreign"), "--dialect=words", "--",
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
	for line := ""; !strings.Contains(line, " trials"); { // it is under way
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	out.Close()
	if err := cmd.Wait(); err == nil || !cmd.ProcessState.Exited() {
		t.Errorf("it ended by %v", cmd.ProcessState)
	}
	run := outcome{parent: parent}.load(t)
	if run.Info.Problem != "interrupted" {
		t.Errorf("problem %q", run.Info.Problem)
	}
}
