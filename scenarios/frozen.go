package scenarios

import (
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// `docker pause`, a checkpoint, a host that is out of memory: the sandbox stands
// still and its clocks go on. A limit that was to give the reaper time is then
// over before the reaper had any. Here the reaper needs 150 ms of time in which it can
// run, less than the 200 ms that the documented fix waits, and the sandbox is frozen
// meanwhile: the wait is over at the thaw, and the reaper is not done. Without the
// freeze late-publish finds nothing lost.
//
// The baseline is given so many trials that one of them will lose, also on a machine
// that does not run the handler for 100 ms after a thaw.
//
// A quota that is used up stops a sandbox too, for less than the fix waits: it
// has been seen to lose nothing, so there is no baseline under it.
var _ = faultPoints.scenario("frozen", "a sandbox that is frozen again and again",
	"delays the candidate's answers, and uses up the wait of the documented fix",
	func(s *session.Session) session.Experiment {
		const late = 150 * time.Millisecond
		under := func(f fault.Fault) session.Arm {
			trials := s.Scale.Trials(freezes)
			return session.Arm{
				Fault: fault.All{latePublish(s, late), f}, MinHits: int64(trials / 2),
				Trials: trials, InFlight: 1, Commands: registered, Wait: time.Second,
			}
		}
		frozen := under(fault.Freeze{For: 300 * time.Millisecond, Every: 120 * time.Millisecond})
		lossy := documented(frozen, trial.Loses)
		lossy.Name, lossy.Trials, lossy.UntilShown, lossy.MinHits = "documented",
			s.Scale.Trials(freezesMost), true, 1
		arms := []session.Arm{lossy, candidate(frozen)}
		if s.Runtime.Traits().LimitsCPU {
			short := candidate(under(fault.Quota{Share: 0.02}))
			short.Name += "-quota"
			short.MinHits = 1 // a slow machine's own quota may be used up first
			arms = append(arms, short)
		}
		return session.Experiment{SideBySide: true, Arms: arms}
	})
