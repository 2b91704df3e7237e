package scenarios

import (
	"math/rand/v2"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A child's status is handed out once (wait(2)). With a reaper on wait4(-1) and
// a handler in waitid for one child, whoever comes first gets it, and even one
// request at a time is a race. How many are lost is the machine's mood, 0.1 % to
// 5 % have been measured, so the baseline's reaper is made to win. The codes
// cover 0..255, since a daemon that always answers 0 would pass on successes
// alone.
var _ = answers.scenario("exit-codes", "exit codes, one request at a time,",
	"come back as the command gave them, and are lost where a reaper races the waiter",
	func(s *session.Session) session.Experiment {
		// Every 259 trials are the three requests of the first report, then all codes.
		commands := func(i int, r *rand.Rand) load.Command {
			if i%259 < 3 {
				return load.Seeded(i%259, r)
			}
			return load.EveryCode(i%259-3, r)
		}
		baseline := s.Scale.Trials(forcedLoss)
		return session.Experiment{Busy: true, Divides: 20, Arms: []session.Arm{
			{
				Name: "baseline", Role: trial.Baseline, Strategy: "reaper-only", Claim: trial.Loses,
				Fault: reaperFirst(s), MinHits: nearly(baseline),
				Trials: baseline, InFlight: 1, Commands: commands,
			}, {
				Name: "candidate", Role: trial.Candidate, Claim: trial.Clean,
				Trials: s.Scale.Trials(allCodes), InFlight: 1, Commands: commands,
			},
		}}
	})
