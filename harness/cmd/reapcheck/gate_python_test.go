package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// withoutTimeout says as much as the daemon in Python understands.
const withoutTimeout = `name: pydaemon
port: 2280
ready: /healthz
request:
  path: /process/execute
  body: {command: <command>}
response: {exitCode: /exitCode, output: /result}
`

// It has a lock around fork(2), never looks whether its clients are still there, knows no
// timeouts, and lets five clients queue: nothing of that is an order that loses a code.
func TestATargetInPython(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil && os.Getenv("CI") != "true" {
		t.Skipf(
			"no Python here, so nothing shows that a target in Python is judged too: %v; apt-get install python3 brings it", err)
	}
	dialect := filepath.Join(t.TempDir(), "pydaemon.yaml")
	if err := os.WriteFile(dialect, []byte(withoutTimeout), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		manner, only string
		status       int
		verdict      trial.Verdict
	}{
		{"races", "reaper-wins,many-in-flight", exitFail, trial.Fail},
		{"sound", "reaper-wins,many-in-flight,orders", exitPass, trial.Pass},
		// Its processes come and go with its clients.
		{"forks", "stopped", exitPass, trial.Pass},
	} {
		t.Run(c.manner, func(t *testing.T) {
			t.Parallel()
			o := gate(t, "--binary=../../../fixtures/programs/pydaemon/pydaemon.py", "--tier=quick",
				"--dialect="+dialect, "--only="+c.only, "--", c.manner)
			o.expect(t, c.status, c.verdict)
		})
	}
}
