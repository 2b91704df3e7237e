package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// framed builds the daemon that no dialect speaks to, and its driver in Go.
var framed = sync.OnceValue(func() error {
	for name, source := range map[string]string{
		"framed": "./fixtures/programs/framed", "framed-driver": "./fixtures/drivers/framed",
	} {
		cmd := exec.Command("go", "build", "-trimpath", "-tags", "nomsgpack", "-o",
			filepath.Join(programs, name), source)
		cmd.Dir = "../../.."
		cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	}
	return nil
})

// framedFlags judge that daemon.
func framedFlags(t *testing.T) (flags []string, driver string) {
	t.Helper()
	built(t, "reapcheck")
	if err := framed(); err != nil {
		t.Fatal("build:", err)
	}
	return []string{"--binary=" + filepath.Join(programs, "framed"), "--port=7070"},
		filepath.Join(programs, "framed-driver")
}

// python is the command line of a driver in Python.
func python(t *testing.T, driver string) string {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3:", err)
	}
	script, err := filepath.Abs(filepath.Join("../../../fixtures/drivers", driver))
	if err != nil {
		t.Fatal(err)
	}
	return path + " " + script
}

func TestADriverInFrontOfADaemon(t *testing.T) {
	flags, inGo := framedFlags(t)
	for _, c := range []struct {
		strategy string
		status   int
		verdict  trial.Verdict
	}{{"registry", exitPass, trial.Pass}, {"reaper-only", exitFail, trial.Fail}} {
		for language, driver := range map[string]string{"go": inGo, "python": python(t, "framed.py")} {
			t.Run(language+"-"+c.strategy, func(t *testing.T) {
				t.Parallel()
				all := append(flags, "--driver="+driver,
					"--only=reaper-wins,hang-up,timeout-group,input",
					"--", "-strategy="+c.strategy)
				gate(t, all...).expect(t, c.status, c.verdict)
			})
		}
	}
}

// A daemon that is entered over SSH is judged by a script around the client that everybody has.
func TestADriverInPythonInFrontOfATargetOverSSH(t *testing.T) {
	if _, err := exec.LookPath("ssh"); err != nil {
		t.Skip("no ssh:", err)
	}
	for _, c := range []struct {
		runtime, manner string
		status          int
		verdict         trial.Verdict
	}{
		{"namespace", "sound", exitPass, trial.Pass},
		{"namespace", "races", exitFail, trial.Fail},
		{"docker", "races", exitFail, trial.Fail},
	} {
		t.Run(c.runtime+"-"+c.manner, func(t *testing.T) {
			if c.runtime == "docker" {
				newEngineFront(t) // skips without an engine
			}
			t.Parallel()
			gate(t, "--runtime="+c.runtime, "--binary="+built(t, "foreign"), "--port=7022",
				"--driver="+python(t, "over_ssh.py"), "--only=reaper-wins",
				"--", "--dialect=ssh", "--manner="+c.manner, "--listen=0.0.0.0:7022",
			).expect(t, c.status, c.verdict)
		})
	}
}

// What a driver does wrong is an error of the run, and never a verdict.
func TestADriverThatBreaksIsNoVerdict(t *testing.T) {
	flags, inGo := framedFlags(t)
	for name, c := range map[string]struct{ script, want string }{
		"at once":   {"echo good morning", "which is no message"},
		"no reason": {"exit 5", "exit status 5"},
		// 40 lines are more than the check of the dialect takes, and fewer than a run.
		"later": {inGo + " | sed -u 40q", "it ended"},
		// Its first line about 30 may be the result, or before that the word that 30 was sent.
		"lies": {"exec " + inGo + ` | sed -u 's/"id":30,/"id":31,/'`,
			"31, for which nothing waits|31 was sent, which it was not asked for"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := append(flags, "--driver=sh -c '"+strings.ReplaceAll(c.script, "'", `'\''`)+"'",
				"--factor=1", "--only=ten-at-once")
			o := gate(t, all...)
			if o.status != exitInfrastructure ||
				!strings.Contains(o.said, "verdict: inconclusive") ||
				!regexp.MustCompile(c.want).MatchString(o.said) {
				t.Errorf("status %d, said %s", o.status, o.said)
			}
		})
	}
}

// A command line that enters a sandbox is judged by what it can say, and the rest is
// named.
func TestACommandLineIsJudged(t *testing.T) {
	flags, _ := framedFlags(t)
	enter := "--exec=nsenter -t {pid} -m -n -p /bin/sh -c {script}"
	o := gate(t, append(flags, enter, "--only=storm,texts,timeout-group,hang-up,reaper-wins,input")...)
	o.expect(t, exitPass, trial.Pass)
	for _, want := range []string{"no field for a timeout: timeout-group",
		"no field for a command's input: input",
		"let a client hang up: hang-up",
		"go around the target: reaper-wins"} {
		if !strings.Contains(strings.Join(strings.Fields(o.said), " "), want) {
			t.Errorf("not named: %q in %s", want, o.said)
		}
	}
	missing := gate(t, append(flags, "--exec=nsenter -t {pid} -p /nonexistent/sh -c {script}",
		"--only=texts")...)
	if missing.status == exitPass {
		t.Errorf("no shell there: status %d", missing.status)
	}
}

func TestWhatFlagsOfDriversMustBe(t *testing.T) {
	for want, flags := range map[string][]string{
		"just one":            {"--driver=sh", "--exec=sh -c {script}"},
		"no --dialect":        {"--driver=sh", "--dialect=code"},
		"must hold":           {"--exec=sh"},
		"unknown placeholder": {"--exec=sh {pod} {script}"},
		"--port is for":       {"--port=7"},
		"--port 99999":        {"--port=99999", "--driver=sh"},
		"--socket is for":     {"--socket=/run/s"},
		"--port or at a":      {"--socket=/run/s", "--port=7", "--driver=sh"},
		"--socket run/s":      {"--socket=run/s", "--driver=sh"},
		"not found":           {"--driver=nonexistent-program"},
		"Unterminated":        {"--driver=sh 'a"},
	} {
		o := gate(t, append(flags, "--binary=/bin/true")...)
		if o.status != exitUsage || !strings.Contains(o.said, want) {
			t.Errorf("%q: status %d, said %s", flags, o.status, o.said)
		}
	}
}

// Who writes a driver looks at what it said on standard error first.
func TestACheckShowsWhatTheDriverWroteOnStandardError(t *testing.T) {
	_, inGo := framedFlags(t)
	cmd := command(t, "driver", "check", "--url=tcp://127.0.0.1:1",
		"--driver=sh -c 'echo in trouble >&2; exec "+inGo+"'")
	o := finish(t, cmd, "")
	for _, want := range []string{"standard error:\nin trouble", "output that is no text"} {
		if o.status != exitInconclusive || !strings.Contains(o.said, want) {
			t.Errorf("status %d, %q is not said:\n%s", o.status, want, o.said)
		}
	}
}
