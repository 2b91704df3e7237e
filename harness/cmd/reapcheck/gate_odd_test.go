package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// A daemon may confine itself: the kernel applies all filters, so its calls are
// still seen. It cannot listen to its own besides, and is told so.
func TestTheGateJudgesADaemonWithASeccompFilter(t *testing.T) {
	for _, c := range []struct {
		name, filter, manner string
		status               int
		verdict              trial.Verdict
		said                 string
	}{
		{"confined, racing", "allows", "races", exitFail, trial.Fail, "must be clean, saw"},
		{"confined, sound", "allows", "sound", exitPass, trial.Pass, "0 bad of"},
		{"listening", "listens", "races", exitInfrastructure, trial.Inconclusive,
			"no target can listen to system calls by a seccomp filter of its own"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := gate(t, "--binary="+built(t, "foreign"), "--dialect=words", "--only=reaper-wins",
				"--", "--manner", c.manner, "--filter", c.filter)
			o.expect(t, c.status, c.verdict)
			o.expectSaid(t, c.said)
			for _, a := range o.load(t).Findings[0].Arms {
				if c.verdict == trial.Fail && a.Plan.Role == trial.Candidate &&
					a.Counts[trial.Lost] != a.Trials {
					t.Errorf("%s: %v", a.Plan.Arm, a.Counts)
				}
			}
		})
	}
}

// A daemon that stops answering in the middle costs some deadlines, and the
// run ends in words.
func TestTheGateGivesUpADaemonThatHangs(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for deadlines, for a minute")
	}
	t.Parallel()
	o := foreign(t, "words", "stalls", "--only=exit-codes")
	o.expect(t, exitFail, trial.Fail)
	o.expectSaid(t, " ok, 3 hung")
}

// A target whose commands need a helper that the launcher takes the effect from is
// not to blame for that.
func TestTheGateDoesNotAccuseATargetOfItsLauncher(t *testing.T) {
	t.Parallel()
	// The second seed once asked for a command that exits with 1, as the helper does.
	for _, seed := range []string{"1", "6444673316160520"} {
		o := foreign(t, "words", "helped", "--seed="+seed, "--only=reaper-wins,exit-codes")
		o.expect(t, exitInconclusive, trial.Inconclusive)
		o.expectSaid(t, "behind the launcher this target ran none of 5 known commands right")
	}
}

// A lock keeps the reaper away while someone waits. Held, the waiter would wait for nobody;
// that none takes its place is shown by orders, and the gate has a verdict.
func TestTheGateJudgesADaemonWhoseReaperSparesItsWaiters(t *testing.T) {
	t.Parallel()
	for strategy, said := range map[string]string{
		"locked":   "left out, since nothing but its waiter takes a command's status (of one command, every order was",
		"registry": "reaper-wins: pass",
	} {
		o := gate(t, "--binary="+built(t, "daemon"), "--env=DECK_STRATEGY="+strategy,
			"--only=reaper-wins,exit-codes")
		o.expect(t, exitPass, trial.Pass)
		o.expectSaid(t, said)
	}
}

// A target that does not start under the tracer is judged without it.
func TestTheGateJudgesADaemonThatDoesNotStartTraced(t *testing.T) {
	t.Parallel()
	entry := filepath.Join(t.TempDir(), "entry")
	// Only under the tracer Go is told not to collect.
	script := fmt.Sprintf("#!/bin/sh\n[ \"$GOGC\" != off ] || exit 1\nexec %s \"$@\"\n", built(t, "daemon"))
	if err := os.WriteFile(entry, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	o := gate(t, "--binary="+entry, "--only=orders,exit-codes")
	o.expect(t, exitPass, trial.Pass)
	o.expectSaid(t, "left out, since it does not start while it is traced: ")
}
