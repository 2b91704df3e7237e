package scenarios

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// PID 1 ignores each signal that it has no handler for (pid_namespaces(7)), so a
// daemon that resets its handlers after the first command, or knows SIGTERM alone,
// cannot be stopped but by SIGKILL, ten seconds later. A counter that some way out
// forgot, a wait without a limit, a channel that is closed twice: none of them shows
// while the daemon runs.
var _ = should("stopping", "a daemon that is told to stop",
	"ends well whatever it has run, however often and by which signal it is told, and strands what "+
		"runs where a naive one ends at once",
	func(s *session.Session) session.Experiment {
		inFlight := arms{signal: syscall.SIGTERM}
		baseline := naive(inFlight.arm("", 1), "", trial.Symptom(trial.Error),
			trial.FailedCheck("target"))
		baseline.Ends = "exit status 0"
		ways := len(waysOut)
		if slices.Contains(s.Candidate.Dialect.Declares, "waits-for-output") {
			ways-- // the last one is in flight when the signal comes
		}
		all := []session.Arm{
			baseline,
			arms{signal: syscall.SIGTERM, before: everyWayOut}.arm("after-commands", ways+1),
			arms{signal: syscall.SIGTERM, twice: true}.arm("twice", 1),
			never(s.Candidate.Dialect), unused(),
		}
		for round := range stormyStops {
			all = append(all, inAStorm(round))
		}
		if s.Candidate.Dialect.TimesOut() {
			all = append(all, timesOutMeanwhile(s.Stretched(2*time.Second)))
		}
		if s.Candidate.Listens() {
			all = append(all, halfAsked(s.Candidate.Dialect))
		}
		if referenceBuild(s.Candidate) { // elsewhere nothing says that SIGINT is to stop it
			all = append(all, arms{signal: syscall.SIGINT}.arm("interrupt", 1))
		}
		return session.Experiment{SideBySide: true, Turns: 1, Arms: all}
	})

// referenceBuild says whether a target is the reference daemon, be it one with a
// defect: no other is told its strategy.
func referenceBuild(t target.Target) bool { return t.Ours() || t.Env["DECK_STRATEGY"] != "" }

// arms differ in what comes before the last command, which runs when the signal comes.
type arms struct {
	signal syscall.Signal
	twice  bool
	before load.Source
}

func (a arms) arm(name string, trials int) session.Arm {
	arm := candidate(session.Arm{
		Trials: trials, InFlight: 1, Ends: "exit status 0",
		Commands: func(index int, r *rand.Rand) load.Command {
			if index < trials-1 {
				return a.before(index, r)
			}
			return load.UntilWoken(index, r)
		},
		Fault: fault.Signal{Signal: a.signal, Twice: a.twice, Processes: 1, Named: "sleep",
			EndAfter: 500 * time.Millisecond},
	})
	arm.Name += "-" + name
	return arm
}

// waysOut are how commands end, each by a way of its own through the daemon. None
// runs sleep(1), which is what the signal waits for.
var waysOut = []func(c *load.Command){
	func(*load.Command) {},
	func(c *load.Command) {
		c.Kind, c.Cwd, c.Want = "cannot-start", "/nonexistent", trial.Want{NotRun: true}
	},
	func(c *load.Command) {
		c.Kind, c.Script, c.Timeout = "times-out", "tail -f /dev/null", 200*time.Millisecond
		c.Want = trial.Want{Timeout: true}
	},
	func(c *load.Command) {
		c.Kind, c.Script, c.HangUpAfter = "hangs-up", "tail -f /dev/null", 50*time.Millisecond
		c.Want = trial.Want{HangUp: true}
	},
	func(c *load.Command) {
		c.Kind, c.Script, c.Want = "killed", "kill -9 $$", trial.Want{Code: 128 + 9}
	},
	func(c *load.Command) { // its child runs on, and PID 1 takes it with it (pid_namespaces(7))
		c.Kind, c.Script = "background-stopping", "tail -f /dev/null >/dev/null 2>&1 & "+c.Script
	},
	func(c *load.Command) { // its child holds the output when the signal comes
		c.Kind, c.Script = "held-stdout-stopping", "tail -f /dev/null & "+c.Script
	},
}

func everyWayOut(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	waysOut[index](&c)
	return c
}

// halfAsked has clients that are in the middle of a request, of an answer that they do not read,
// or of nothing, when the signal comes. A server that waits for whoever is connected waits for
// them: http.Server.Shutdown does once the head of a request has come.
func halfAsked(d dialect.Dialect) session.Arm {
	arm := arms{signal: syscall.SIGTERM}.arm("half-asked", 1)
	arm.EndWithin = 20 * time.Second // that is enough for a busy machine
	clients := fault.Speechless{
		Clients: 2,
		Begins:  d.OverHTTP(),
		Stay:    true,
		Asks:    d.Written(dialect.Request{Script: unread}),
		Halves:  1,
	}
	arm.Fault = fault.All{clients, arm.Fault}
	return arm
}

// never is a command that does not end, whatever it is told. Nothing is promised of
// its answer, but that the daemon does not wait for it for longer than docker stop
// waits for the daemon.
func never(d dialect.Dialect) session.Arm {
	arm := candidate(session.Arm{
		Trials: 1, InFlight: 1, Ends: "exit status 0", EndWithin: 10 * time.Second,
		Deadline: time.Minute,
		// The limit is another daemon's own affair.
		Env: map[string]string{"DECK_SHUTDOWN_LIMIT": "1s"},
		Commands: func(index int, r *rand.Rand) load.Command {
			c := load.Instant(index, r)
			c.Kind, c.Script, c.Want = "never-ends",
				"trap '' TERM INT HUP; while :; do sleep 1000; done", trial.Want{Anything: true}
			if d.TimesOut() { // which is no reason to wait for it
				c.Timeout = time.Hour
			}
			return c
		},
		Fault: fault.Signal{Signal: syscall.SIGTERM, Processes: 1, Named: "sleep"},
	})
	arm.Name += "-never-ends"
	return arm
}

// unused is told to stop before anybody has asked it for a command.
func unused() session.Arm {
	arm := candidate(session.Arm{
		Trials: 1, InFlight: 1, Ends: "exit status 0", EndWithin: 10 * time.Second,
		Commands: func(index int, r *rand.Rand) load.Command {
			c := load.Instant(index, r)
			c.Kind, c.Want = "too-late", trial.Want{Anything: true}
			return c
		},
		Fault: fault.Signal{Signal: syscall.SIGTERM},
	})
	arm.Name += "-unused"
	return arm
}

// timesOutMeanwhile has a timeout come while the daemon waits for what runs. The other command
// begins to sleep once that one is there, however busy the machine is.
func timesOutMeanwhile(limit time.Duration) session.Arm {
	const there = "i=0; until grep -qs '^tail$' /proc/[0-9]*/comm || [ $i -ge 300 ]; " +
		"do i=$((i+1)); done; "
	arm := arms{signal: syscall.SIGTERM}.arm("overtime", 2)
	arm.InFlight = 2
	arm.Commands = func(index int, r *rand.Rand) load.Command {
		if index == 0 {
			c := load.Command{Kind: "overtime-stopping", Want: trial.Want{Timeout: true}}
			c.Script, c.Timeout = "exec tail -f /dev/null", limit
			return c
		}
		c := load.UntilWoken(index, r)
		c.Script = there + c.Script
		return c
	}
	return arm
}

// stormyStops find what is lost once in two stops, but for one time in eight.
const stormyStops = 3

// inAStorm is told to stop while commands begin and end: when the signal comes, some have ended.
// Nothing is promised of their answers: those that are asked for later are refused.
func inAStorm(round int) session.Arm {
	const trials, marked = 120, 40
	arm := candidate(session.Arm{
		Trials: trials, InFlight: 16, Ends: "exit status 0", EndWithin: 20 * time.Second,
		Commands: func(index int, r *rand.Rand) load.Command {
			c := load.Lasting(20*time.Millisecond)(index, r)
			if index == marked {
				c.Script = "tail -f /dev/null; :"
			}
			c.Kind, c.Want = "while-stopping", trial.Want{Anything: true}
			return c
		},
		Fault: fault.Signal{Signal: syscall.SIGTERM, Processes: 1, Named: "tail",
			EndAfter: 500 * time.Millisecond},
	})
	arm.Name = fmt.Sprintf("%s-in-a-storm-%d", arm.Name, round+1)
	return arm
}
