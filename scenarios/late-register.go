package scenarios

import (
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A command can end before its PID is registered: the documented fix registers
// after Start has returned. The reaper then finds a PID that no one claims,
// takes it for an orphan and drops the status, and no wait brings it back.
var _ = scenario("late-register", "a command that ends before it is registered",
	"keeps its exit code in the candidate, and loses it under the documented fix",
	func(s *session.Session) session.Experiment {
		// The baseline is stopped until its child has been reaped, and loses all but
		// the few that register between the reaper's wait4 and its look. In a sound
		// daemon that moment never comes before the registration, so the candidate
		// is stopped for longer than command and reaper need.
		var reaped, late fault.Fault
		reaped = fault.Point{Place: "before-register", UntilReaped: true}
		late = fault.Point{Place: "before-register", Sleep: 100 * time.Millisecond}
		if s.BlackBox { // the daemon is told late that its command has begun
			reaped = fault.LateReturn{Call: fault.Read, Delay: 50 * time.Millisecond}
			late = reaped
		}
		lost, trials := s.Scale.Trials(forcedLoss), s.Scale.Trials(forced)
		return session.Experiment{SideBySide: true, Arms: []session.Arm{
			{
				Name: "documented", Role: trial.Baseline, Strategy: "documented",
				Claim: trial.Loses,
				Fault: reaped, MinHits: int64(lost),
				Trials: lost, InFlight: 8, Commands: load.Instant,
			}, {
				Name: "candidate", Role: trial.Candidate, Claim: trial.Clean,
				Fault: late, MinHits: int64(trials),
				Trials: trials, InFlight: 8, Commands: load.Instant, Wait: 100 * time.Millisecond,
			},
		}}
	})
