package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// inC is the daemon that is written in C.
func inC(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cdaemon")
	cc := exec.Command("cc", "-O1", "-static", "-pthread", "-o", path,
		"../../../fixtures/programs/cdaemon/cdaemon.c")
	said, err := cc.CombinedOutput()
	switch {
	case errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") != "true":
		t.Skipf(
			"no C compiler here, so nothing shows that a target in C is judged too: %v; apt-get install gcc libc6-dev brings one", err)
	case err != nil:
		t.Fatalf("%v\n%s", err, said)
	}
	return path
}

// Nothing that decides who wins may depend on the target's language.
func TestATargetInC(t *testing.T) {
	t.Parallel()
	daemon := inC(t)
	for _, c := range []struct {
		manner  string
		status  int
		verdict trial.Verdict
		lost    func(trials int) int
	}{
		{"races", exitFail, trial.Fail, func(trials int) int { return trials }},
		{"sound", exitPass, trial.Pass, func(int) int { return 0 }},
		// A call that is held may now fail with EINTR, which this one never did
		// (seccomp_unotify(2)); the signal that did it has woken the reaper.
		{"handler", exitPass, trial.Pass, func(int) int { return 0 }},
	} {
		t.Run(c.manner, func(t *testing.T) {
			t.Parallel()
			o := gate(t, "--binary="+daemon, "--only=reaper-wins", "--", c.manner)
			o.expect(t, c.status, c.verdict)
			candidates := 0
			for _, arm := range o.load(t).Findings[0].Arms {
				if arm.Plan.Role != trial.Candidate {
					continue
				}
				candidates++
				if lost := arm.Counts[trial.Lost]; lost != c.lost(arm.Plan.Trials) ||
					arm.Trials != arm.Plan.Trials {
					t.Errorf("%s: %d of %d trials lost", arm.Plan.Arm, lost, arm.Trials)
				}
			}
			if candidates == 0 {
				t.Error("no candidate was judged")
			}
		})
	}
}

// A target that ends of an EINTR which only the hold can cause is not accused of that.
func TestATargetThatIsToldWhatTheKernelNeverSays(t *testing.T) {
	t.Parallel()
	o := gate(t, "--binary="+inC(t), "--only=reaper-wins", "--", "strict")
	if v := o.load(t).Verdict; v == trial.Inconclusive {
		o.expectSaid(t, "is without SA_RESTART")
	} else {
		o.expect(t, exitPass, trial.Pass) // no signal came in between
	}
}
