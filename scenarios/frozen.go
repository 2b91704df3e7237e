package scenarios

import (
	"time"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// `docker pause`, a checkpoint, a host that is out of memory: the sandbox stands
// still and its clocks go on. A limit that was to give the reaper time is then
// over before the reaper had any. Here it publishes so late that the documented
// fix needs most of its 200 ms, and the sandbox is frozen meanwhile; without
// that, late-publish finds nothing lost. When all go on at once reaper and
// waiter race, so the control loses some (55 % to 85 % have been measured, 7 % to
// 50 % behind strace, and none of 14 beside another load): it is given so many
// trials that one of them will.
//
// A quota that is used up stops a sandbox too, for less than the fix waits: it
// has been seen to lose nothing, so there is no control under it.
var _ = scenario("frozen", "a sandbox that is frozen again and again",
	"delays the candidate's answers, and uses up the wait of the documented fix",
	func(s *session.Session) session.Experiment {
		const late = 150 * time.Millisecond
		under := func(f fault.Fault) session.Arm {
			trials := s.Scale.Trials(14, 40)
			return session.Arm{
				Fault: fault.Together{latePublish(s, late), f}, MinHits: int64(trials / 2),
				Trials: trials, InFlight: 1, Commands: registered,
			}
		}
		frozen := under(fault.Freeze{For: 300 * time.Millisecond, Every: 120 * time.Millisecond})
		documented := frozen
		documented.Name, documented.Role, documented.Strategy, documented.Claim = "documented", trial.Baseline, "documented", trial.Loses
		documented.Trials, documented.UntilShown, documented.MinHits = 100, true, 1
		arms := []session.Arm{documented, candidate(frozen)}
		if s.Runtime.Traits().LimitsCPU {
			short := candidate(under(fault.Quota{Share: 0.02}))
			short.Name += "-quota"
			arms = append(arms, short)
		}
		return session.Experiment{SideBySide: true, Arms: arms}
	})
