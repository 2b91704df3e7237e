package scenarios

import (
	"fmt"
	"time"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Load widens the gap between a child's end and its waiter's next turn on a
// CPU, and that gap is the reaper's. Nothing is injected here: this is what a
// busy daemon does by itself. Mixed commands let children end in all orders,
// fill the pipe, and leave orphans for PID 1.
var _ = answers.scenario("storm", "a storm of requests",
	"gets every exit code and every byte back, and loses codes where a reaper races the waiter",
	func(s *session.Session) session.Experiment {
		// 256 in flight have been seen to take 10 s on a machine with other work.
		const patience = time.Minute
		var arms []session.Arm
		for round, inFlight := range []int{8, 64, 256} {
			arms = append(arms, session.Arm{
				Name: fmt.Sprintf("baseline-%d", inFlight), Role: trial.Baseline,
				Strategy: "reaper-only", Claim: trial.Loses,
				Trials: s.Scale.Trials(stormLossMost), UntilShown: true,
				AtLeast:  s.Scale.Trials(stormLoss),
				InFlight: inFlight, Commands: load.Mixed, Deadline: patience, Round: round,
				Work: mixedWork,
			}, session.Arm{
				Name: fmt.Sprintf("candidate-%d", inFlight), Role: trial.Candidate,
				Claim:  trial.Clean,
				Trials: s.Scale.Trials(stormed), InFlight: inFlight, Commands: load.Mixed,
				Deadline: patience,
				Round:    round, Work: mixedWork,
			})
		}
		return session.Experiment{Busy: true, Divides: 100, Arms: arms}
	})

// mixedWork is about what one of load.Mixed costs in plain commands.
const mixedWork = 2
