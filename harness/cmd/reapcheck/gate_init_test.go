package main

import (
	"testing"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// An init such as tini is PID 1, and the daemon behind it may race all the same. What is
// held, stopped, limited and counted is the daemon's.
func TestTheGateJudgesADaemonBehindAnInit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		manner  string
		status  int
		verdict trial.Verdict
	}{
		{"sound", exitPass, trial.Pass},
		{"races", exitFail, trial.Fail},
	} {
		t.Run(c.manner, func(t *testing.T) {
			t.Parallel()
			o := gate(t, "--binary="+built(t, "foreign"), "--dialect=words", "--tier=quick",
				"--only=reaper-wins,stopped", "--", "--init",
				"--manner", c.manner)
			o.expect(t, c.status, c.verdict)
			for _, a := range o.finding(t, "reaper-wins").Arms {
				if c.verdict == trial.Fail && a.Plan.Role == trial.Candidate &&
					a.Counts[trial.Lost] != a.Trials {
					t.Errorf("%s: %v", a.Plan.Arm, a.Counts)
				}
			}
		})
	}
}

// A daemon that leaves all other children to its init has no reaper that could be first. What
// asks for nothing else is left out, and of other scenarios the arms that do.
func TestTheGateHoldsNoWaiterThatNobodyContests(t *testing.T) {
	t.Parallel()
	o := gate(t, "--binary="+built(t, "foreign"), "--dialect=words", "--tier=quick",
		"--only=reaper-wins,signals", "--", "--init", "--manner=alone")
	o.expect(t, exitPass, trial.Pass)
	o.expectSaid(t, "since the daemon behind the init takes no child but the one that it waits for")
	o.expectSaid(t, "the arm candidate-reaper-wins of signals")
	if arms := o.finding(t, "signals").Arms; len(arms) != 2 {
		t.Errorf("%d arms of signals", len(arms))
	}
}

// A daemon that is told of no start by a pipe is not to blame for that, and its verdict
// does not wait for it.
func TestTheGateLeavesOutWhatNothingCanTellLate(t *testing.T) {
	t.Parallel()
	o := gate(t, "--binary="+inC(t), "--only=late-register,exit-codes", "--", "sound")
	o.expect(t, exitPass, trial.Pass)
	o.expectSaid(t, "late-register")
	o.expectSaid(t, "left out, since no pipe tells the target that a command has begun")
}
