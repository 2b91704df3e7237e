package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A container has a pids limit, and threads count (cgroups(7), pids.max): when
// it is used up fork fails with EAGAIN. That is over in a moment and says
// nothing of the command, so the answer is "try again", HTTP 503, and no exit
// code. A Go program that asks for a thread just then dies.
//
// A container has a limit of memory too: the kernel kills who has the most
// (cgroups(7), memory). That is the command that asked for all of it, which then has
// the code of a signal, and its daemon and the commands beside it go on.
var _ = should("pressure", "a sandbox that has no room for another process",
	"refuses commands in words and recovers, where a naive daemon says -1 or dies",
	func(s *session.Session) session.Experiment {
		const burst = 16
		limit := fault.PIDLimit{Spare: 4, Burst: burst}
		bursts := s.Scale.Trials(pressedBursts)
		arm := session.Arm{
			Trials: bursts * burst, InFlight: burst, Bursts: true,
			Commands: pressed(limit, s.Patience(200*time.Millisecond)),
			// The fault counts who wrote nothing under the limit.
			Fault: limit, MinHits: int64(bursts / 2), ByOutput: true,
			Watch: check.Settles(check.NobodyLeft), Used: true,
		}
		// It dies where Go asks for a thread before a command is refused.
		baseline := naive(arm, "", trial.Symptom(trial.Lost).Or(trial.FailedCheck("target")))
		arms := []session.Arm{baseline, candidate(arm)}
		if s.Runtime.Traits().LimitsMemory {
			arms = append(arms, shortOfMemory(s)...)
		}
		return session.Experiment{SideBySide: true, Arms: arms}
	})

// shortOfMemory has one command at a time that uses it up, so that it is the one that has
// the most. The naive daemon keeps some memory of each command until it has more.
func shortOfMemory(s *session.Session) []session.Arm {
	const burst = 4
	bursts := s.Scale.Trials(hungryBursts)
	arm := session.Arm{
		Trials: bursts * burst, InFlight: burst, Bursts: true, Commands: hungry(burst),
		Fault: fault.MemoryLimit{Spare: 32 << 20}, MinHits: int64(bursts),
		Watch: check.Settles(check.NobodyLeft), Used: true,
	}
	baseline := naive(arm, "swelling", trial.FailedCheck("target"))
	baseline.Env["NAIVE_AMOUNT"], baseline.MinHits = strconv.Itoa(2<<20), 1
	fed := candidate(arm)
	fed.Name += "-memory"
	// A victim that is slow to go, as under a CPU quota, is passed over while it frees what it
	// had, and the kernel has been seen to kill PID 1 with 51 of 55 MB free (mm/oom_kill.c,
	// MMF_OOM_SKIP). Who dies each time does something wrong.
	fed.EndTwice = true
	return []session.Arm{baseline, fed}
}

// hungry has a command in each burst that takes all the memory there is, within the shell.
func hungry(burst int) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		c := load.Instant(index, r)
		if index%burst == 0 {
			c.Kind, c.Want.Code = syscall.SIGKILL.String(), 128+int(syscall.SIGKILL)
			c.Script = fmt.Sprintf("echo %s; x=0123456789abcdef; while :; do x=$x$x; done",
				strings.TrimSpace(c.Want.Output))
		}
		return c
	}
}

// pressed may be refused under the limit and must be right otherwise. Under the limit most
// commands take up room, for so long that the others come meanwhile; none forks, since a shell
// that cannot says so by a code of its own.
func pressed(limit fault.PIDLimit, stay time.Duration) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		c := load.Instant(index, r)
		if !limit.Under(index) {
			return c
		}
		c.Want.MayRefuse = true
		if index%4 != 0 {
			c.Kind, c.Want.Code = "stays", 0
			c.Script = fmt.Sprintf("echo %s; exec sleep %v", strings.TrimSpace(c.Want.Output),
				stay.Seconds())
		}
		return c
	}
}
