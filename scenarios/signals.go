package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A child that a signal has ended has no exit code: Go's ExitCode says -1 for
// it, and shells say 128 and the signal's number (POSIX leaves just "greater
// than 128"). The convention has to be one whoever wins the race, and the core
// dump flag is no part of it (wait(2), WCOREDUMP).
var _ = should("signals", "a command that a signal ends",
	"gives 128 and the signal's number no matter who reaps it, where a naive daemon says -1",
	func(s *session.Session) session.Experiment {
		trials := s.Scale.Trials(ends)
		return session.Experiment{Divides: 28, Arms: []session.Arm{
			{
				Name: "naive", Role: trial.Baseline, Build: target.Naive, Claim: trial.Misbehaves,
				By:     []trial.Symptom{trial.Symptom(trial.Lost)},
				Trials: trials, InFlight: 4, Commands: killed,
			}, {
				Name: "candidate", Role: trial.Candidate, Claim: trial.Clean,
				Trials: trials, InFlight: 4, Commands: killed,
			}, {
				Name: "candidate-reaper-wins", Role: trial.Candidate, Claim: trial.Clean,
				Fault: reaperFirst(s), MinHits: nearly(trials),
				Trials: trials, InFlight: 4, Commands: killed,
			},
		}}
	})

// wakeUp sends SIGCONT to the shell again and again until it has ended, since nothing
// tells when it has stopped itself; for a minute at most.
const wakeUp = "(i=0; while [ $i -lt 1200 ]; do sleep 0.05; kill -CONT $$ || exit; i=$((i+1)); " +
	"done) >/dev/null 2>&1 &"

var (
	// usual are the signals that everyone's table has, and others those that also end a
	// process (signal(7)). The real-time ones are left out, which Node cannot name, and
	// SIGQUIT, which bash ignores itself.
	usual = []syscall.Signal{
		syscall.SIGKILL, syscall.SIGTERM, syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGINT,
		syscall.SIGUSR1,
	}
	others = []syscall.Signal{
		syscall.SIGBUS, syscall.SIGXCPU, syscall.SIGSYS, syscall.SIGHUP, syscall.SIGFPE,
		syscall.SIGALRM, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGUSR2, syscall.SIGPIPE,
		syscall.SIGXFSZ,
		syscall.SIGVTALRM, syscall.SIGPROF, syscall.SIGIO, syscall.SIGPWR, syscall.SIGSTKFLT,
	}
)

// killed prints a nonce and ends by a signal, or stops and goes on first.
func killed(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	if index%28 == 13 {
		return dumpsCore(c)
	}
	if index%7 == 6 {
		// A stopped child is no ended one; WUNTRACED would report it (wait(2)).
		c.Kind, c.Script = "stopped", wakeUp+" kill -STOP $$; "+c.Script
		return c
	}
	sig := usual[index%7]
	stream := 1
	if turn := index / 7; turn%2 == 1 {
		sig = others[(turn/2*len(usual)+index%7)%len(others)]
		stream, c.Want.Merged = 2, true // which a daemon may gather elsewhere
	}
	c.Kind = sig.String()
	nonce := c.Want.Output
	c.Script = fmt.Sprintf("ulimit -c 0; echo %s >&%d; kill -%d $$", nonce[:len(nonce)-1],
		stream, sig)
	c.Want.Code = 128 + int(sig)
	return c
}

// dumpsCore has the core flag set in its status, unless the machine's limits or
// its core_pattern are against it (core(5)). What it wrote is soon removed.
func dumpsCore(c load.Command) load.Command {
	// A cd to nothing stays where it is (dash, BusyBox), and that is the target's folder.
	const inFolder = `d=$(mktemp -d) && cd "$d" && ulimit -S -c "$(ulimit -H -c)" && ` +
		`{ (sleep 1; rm -r "$d") >/dev/null 2>&1 & }`
	c.Kind = "core"
	c.Script = fmt.Sprintf("{ %s; } 2>/dev/null || ulimit -c 0; echo %s; kill -SEGV $$", inFolder,
		strings.TrimSpace(c.Want.Output))
	c.Want.Code = 128 + int(syscall.SIGSEGV)
	return c
}
