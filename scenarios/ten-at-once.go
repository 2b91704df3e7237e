package scenarios

import (
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Ten commands that end at about the same time raise few SIGCHLDs, since a
// pending signal is not queued twice (signal(7)): one pass of the reaper then
// takes children whose waiters have not been scheduled yet.
var _ = answers.scenario("ten-at-once", "ten commands at once",
	"all get their own exit code, and some lose it where a reaper races the waiter",
	func(s *session.Session) session.Experiment {
		return session.Experiment{Busy: true, Divides: 100, Arms: []session.Arm{
			{
				Name: "baseline", Role: trial.Baseline, Strategy: "reaper-only", Claim: trial.Loses,
				Trials: s.Scale.Trials(stormLossMost), UntilShown: true,
				AtLeast:  s.Scale.Trials(stormLoss),
				InFlight: 10, Bursts: true, Commands: load.Instant,
			}, {
				Name: "candidate", Role: trial.Candidate, Claim: trial.Clean,
				Trials: s.Scale.Trials(burst), InFlight: 10, Bursts: true, Commands: load.Instant,
			},
		}}
	})
