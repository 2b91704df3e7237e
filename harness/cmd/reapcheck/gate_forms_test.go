package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// forms are dialects of the field, one for each form of an answer, of which small targets
// speak their own.
var forms = map[string]string{
	"whole seconds in JSON": "openhands", "JSON Lines": "opensandbox", "Connect": "e2b",
	"a poll, a terminal and a kill": "open-terminal", "a WebSocket": "pebble",
}

// formFlags judge such a target, sound or not.
func formFlags(t *testing.T, name, manner, scenarios string) []string {
	t.Helper()
	d, err := dialect.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	listen := fmt.Sprintf("0.0.0.0:%d", d.Port)
	chosen := name
	if d.Socket != "" { // the real one is where an ordinary user may not write
		// Where much else is, the launcher and the target among it.
		socket := filepath.Join(os.TempDir(), "reapcheck-test.sock")
		chosen, listen = atAnotherSocket(t, name, d.Socket, socket), "unix:"+socket
	}
	return []string{"--binary=" + built(t, "foreign"), "--dialect=" + chosen,
		"--only=" + scenarios, "--", "--dialect=" + name, "--manner=" + manner, "--listen=" + listen}
}

// atAnotherSocket is the dialect in a file, with its socket moved.
func atAnotherSocket(t *testing.T, name, from, to string) (file string) {
	t.Helper()
	text, err := dialect.Source(name)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), name+".yaml")
	moved := strings.Replace(string(text), from, to, 1)
	if err := os.WriteFile(file, []byte(moved), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestTheGateJudgesEachForm(t *testing.T) {
	t.Parallel()
	for form, name := range forms {
		t.Run(form+", sound", func(t *testing.T) {
			t.Parallel()
			scenarios := "exit-codes,timeout-group"
			if name == "pebble" { // its sandboxes have a path in common, and connect at it
				scenarios += ",speechless,many-in-flight"
			}
			gate(t, formFlags(t, name, "sound", scenarios)...).expect(t, exitPass, trial.Pass)
		})
		t.Run(form+", racing", func(t *testing.T) {
			t.Parallel()
			gate(t, formFlags(t, name, "races", "reaper-wins")...).expect(t, exitFail, trial.Fail)
		})
	}
}

// An API that knows whole seconds alone is no excuse for who does not hear of them.
func TestTheGateSeesWhoIgnoresATimeoutInSeconds(t *testing.T) {
	t.Parallel()
	o := gate(t, formFlags(t, "openhands", "deaf", "timeout-group")...)
	o.expect(t, exitFail, trial.Fail)
	o.expectSaid(t, "timeout-not-enforced")
}

func TestTheGateJudgesEachFormInAContainer(t *testing.T) {
	newEngineFront(t) // skips without an engine
	inContainer := func(name, manner string) outcome {
		return gate(t, append([]string{"--runtime=docker"}, formFlags(t, name, manner, "reaper-wins")...)...)
	}
	for form, name := range forms {
		t.Run(form+", racing", func(t *testing.T) {
			t.Parallel()
			inContainer(name, "races").expect(t, exitFail, trial.Fail)
		})
	}
	t.Run("sound", func(t *testing.T) { // one stands for all: such a pass takes a minute
		t.Parallel()
		inContainer("e2b", "sound").expect(t, exitPass, trial.Pass)
	})
}

// Nothing is lost where a command's two outputs are read from two pipes, but the order
// between them.
func TestADaemonMayReadACommandsOutputsFromTwoPipes(t *testing.T) {
	t.Parallel()
	o := foreign(t, "words", "two-pipes", "--only=output,texts", "--factor=0.1")
	o.expect(t, exitPass, trial.Pass)
	o.expectSaid(t, "streams-interleaved")
}
