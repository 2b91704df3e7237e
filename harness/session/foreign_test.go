package session

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A dialect without a field for the folder leaves it to a shell, which runs, and
// says that there is none by an exit code. Nothing was refused, and nothing is
// wrong with that.
func TestAFolderThatTheDialectCannotSayIsTheShellsToMiss(t *testing.T) {
	for _, c := range []struct {
		field       string
		asked, want trial.Want
	}{
		{"", trial.Want{NotRun: true}, trial.Want{Code: 126, AnyOutput: true}},
		{"", trial.Want{NotRun: true, MayTimeout: true},
			trial.Want{Code: 126, AnyOutput: true, MayTimeout: true}},
		{", cwd: <cwd>", trial.Want{NotRun: true}, trial.Want{NotRun: true}},
	} {
		d, err := dialect.Parse("folder.yaml",
			fmt.Appendf(nil,
				"port: 80\nrequest: {path: /x, body: {command: <command>%s}}\nresponse: {exitCode: /exitCode}\n", c.field))
		if err != nil {
			t.Fatal(err)
		}
		arm := runningArm{session: &Session{}, target: target.Target{Dialect: d},
			Arm: Arm{Commands: func(int, *rand.Rand) load.Command {
				return load.Command{Request: dialect.Request{Script: "true", Cwd: "/nonexistent"},
					Want: c.asked}
			}}}
		if got := arm.command(0).Want; !reflect.DeepEqual(got, c.want) {
			t.Errorf("with the body's %q: %+v", c.field, got)
		}
	}
}

// A dialect that cannot ask for a timeout must not turn into a failure.
func TestWhatADialectCannotSayIsInconclusive(t *testing.T) {
	d, err := dialect.Parse("mute.yaml",
		[]byte(
			"port: 80\nrequest: {path: /process/execute, body: {command: <command>}}\nresponse: {exitCode: /exitCode}\n"))
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(t, &fakeRuntime{})
	s.Candidate = target.Target{Binary: "/bin/other", Dialect: d}
	e := experiment(nil)
	e.Arms[1].Commands = func(i int, r *rand.Rand) load.Command {
		c := load.Instant(i, r)
		if i == 49 {
			c.Timeout = time.Second
		}
		return c
	}
	f, err := s.Run(t.Context(), e)
	if err != nil || f.Verdict != trial.Inconclusive ||
		!strings.Contains(f.Reason, "no field for a timeout") {
		t.Errorf("verdict %v (%s), error %v", f.Verdict, f.Reason, err)
	}
}
