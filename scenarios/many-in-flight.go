package scenarios

import (
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A blocking wait parks an OS thread for as long as its child runs. A Go
// process dies at 10,000 threads (runtime/debug.SetMaxThreads), and a
// container's pids limit counts threads too: commands that only sleep can then
// bring a daemon down. Files have numbers too, and select(2) can tell of none above 1023:
// it reads past its own table, or the file is never ready.
var _ = advice("many-in-flight", "many commands in flight",
	"take no thread each, where a daemon with a wait per child has as many threads as commands",
	func(s *session.Session) session.Experiment {
		const inFlight, spare = 150, 40
		arm := session.Arm{
			Trials: inFlight * s.Scale.Trials(waves), InFlight: inFlight, Bursts: true,
			Commands: load.UntilWoken,
			Deadline: time.Minute, Wait: time.Second,
			Watch: check.StaysBelowWhileAllSleep(inFlight, spare, check.Threads, ""),
		}
		crowd := session.Arm{Trials: 8, InFlight: 4, Commands: load.Instant, Fault: fault.Crowd{}}
		crowded := candidate(crowd)
		crowded.Name += "-crowded"
		const few = spare + 20
		unwell := naive(arm, "unwell", trial.FailedCheck(check.Ready))
		unwell.Trials, unwell.InFlight = few, few
		unwell.Watch = check.StaysBelowWhileAllSleep(few, spare, check.Threads,
			dialect.ProcessExecute().Ready)
		sound := candidate(arm)
		if d := s.Candidate.Dialect; d.OverHTTP() {
			sound.Watch = check.StaysBelowWhileAllSleep(inFlight, spare, check.Threads, d.Ready)
		}
		arms := []session.Arm{
			misbehaving(arm, "wait-per-child", "none", check.EverTooMany(check.Threads)), unwell, sound,
		}
		if s.Candidate.Listens() {
			arms = append(arms, naive(crowd, "selecting", trial.Symptom(trial.Lost)), crowded)
		}
		return session.Experiment{SideBySide: true, Arms: arms}
	})
