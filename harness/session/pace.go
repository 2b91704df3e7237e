package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/parallel"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/speaker"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Pace is how fast this machine is just now, in the runtime that a run uses. The
// zero Pace is that of a fast machine.
type Pace struct {
	// Command is what one plain command takes the reference daemon while the CPUs are
	// busy with others, and Candidate what it takes one that is slower.
	Command, Candidate time.Duration
	// Lag is how long an answer of the candidate's takes beside what it works, as one does for
	// which a client asks again and again. What lags keeps no CPU busy.
	Lag time.Duration
	// Start is how long a sandbox takes until its target is ready.
	Start time.Duration
}

// usual is a plain command's time on a machine with two fast cores, 0.5 ms, and room
// for the other work that such a machine has.
const usual = time.Millisecond

// mostPatient bounds how much longer limits become: a command that is far slower than
// that waits for something else than its turn.
const mostPatient = 20

// command is what one plain command takes, whoever executes it.
func (p Pace) command() time.Duration { return max(cmp.Or(p.Command, usual), p.Candidate) }

// slowness is how many times slower than usual the machine is; 1 or more. A slow
// candidate has no part in it: its limits would grow with what it does wrong.
func (p Pace) slowness() float64 {
	return min(max(1, float64(p.Command)/float64(usual)), mostPatient)
}

// Patience is a limit that no sound target meets on a fast machine, as it must be on
// this one. It is for limits alone: no order of events may depend on it.
func (s *Session) Patience(limit time.Duration) time.Duration {
	return time.Duration(float64(limit) * s.Pace.slowness())
}

// mostStretched bounds what a slow machine costs: at a twentieth of a CPU a command
// begins within 0.2 s.
const mostStretched = 4

// Stretched is a time in which a command gets somewhere on a fast machine, such as to
// its trap, as it must be on this one.
func (s *Session) Stretched(d time.Duration) time.Duration {
	return time.Duration(float64(d) * min(s.Pace.slowness(), mostStretched))
}

const (
	paceInFlight = 8
	// paceCommands and paceTime are the least that is measured of a machine: several periods
	// of a CPU quota (100 ms each, cgroups(7)), or a burst would pass for its pace.
	paceCommands = 100
	paceTime     = 600 * time.Millisecond
	// paceLimit ends the measurement on a machine on which it would take longer.
	paceLimit = 10 * time.Second
)

// Measure finds out the machine's pace: one sandbox starts, and the reference daemon
// executes some hundred commands. A candidate that is slower sets the pace.
func (s *Session) Measure(ctx context.Context) (Pace, error) {
	reference := target.Reference("registry")
	ours, err := s.measure(ctx, Arm{Name: "pace", Role: trial.Candidate}, reference, paceTime)
	pace := Pace{Command: ours.latency / paceInFlight, Start: ours.start}
	if err != nil || s.Candidate.Ours() {
		return pace, err
	}
	// Any CPU quota is used up by now, and the candidate counts where it is slower.
	own, err := s.measure(ctx, Arm{Name: "pace-candidate", Role: trial.Candidate}, s.Candidate, 0)
	if errors.Is(err, errNoPace) {
		return pace, nil // what it does wrong is for the scenarios to say
	}
	pace.Start = max(pace.Start, own.start)
	pace.Candidate, pace.Lag = own.beside(ours)
	return pace, err
}

// measured is what the start of a target took, and each of its commands with paceInFlight of
// them in flight.
type measured struct {
	start, latency time.Duration
	// work is the CPU time of the command, the target and this process; 0 where that cannot
	// be seen.
	work time.Duration
}

// beside is what a command takes where CPUs are what there is too little of, and what it takes
// beside that. A machine that is busy with others' work was so for the reference daemon too.
func (m measured) beside(reference measured) (command, lag time.Duration) {
	command = m.latency / paceInFlight
	if m.work > 0 && reference.work > 0 {
		times := float64(m.work) / float64(reference.work)
		shared := times * float64(reference.latency) / paceInFlight
		command = min(command, time.Duration(shared))
	}
	return command, max(0, m.latency-paceInFlight*command)
}

// errNoPace means that a target does not answer as it should.
var errNoPace = errors.New("no pace to measure")

func (s *Session) measure(ctx context.Context, arm Arm, t target.Target, least time.Duration) (
	m measured, err error) {
	m.start, err = s.visit(ctx, arm, t, paceInFlight, func(sb sandbox.Sandbox,
		asking speaker.Speaker) (err error) {
		before, seen := spent(sb)
		var answered int64
		if m.latency, answered, err = commandPace(ctx, asking, s.Seed, least); err != nil {
			return err
		}
		if after, still := spent(sb); seen && still {
			m.work = (after - before) / time.Duration(answered)
		}
		return nil
	})
	if errors.Is(err, sandbox.ErrTarget) {
		err = errNoPace
	}
	if err != nil {
		err = fmt.Errorf("measure the machine: %w", err)
	}
	return m, err
}

// spent is the CPU time of all that runs or has been reaped in a sandbox, and of this process.
func spent(sb sandbox.Sandbox) (sum time.Duration, seen bool) {
	all, err := probe.Look(sb.PID())
	own, ownErr := probe.CPUTime(os.Getpid())
	for _, p := range all {
		sum += p.CPU + p.Reaped
	}
	return sum + own, err == nil && ownErr == nil
}

// visit starts a target for no trial, lets do speak to it, and ends it. It returns how long
// the start took.
func (s *Session) visit(ctx context.Context, arm Arm, t target.Target, inFlight int,
	do func(sandbox.Sandbox, speaker.Speaker) error) (start time.Duration, err error) {
	a := &runningArm{Arm: arm, session: s, scenario: "machine", target: t}
	began := time.Now()
	sb, err := a.launch(ctx, a.asked())
	if err != nil {
		return 0, err
	}
	start = time.Since(began)
	asking, err := speaker.Open(ctx, t, sb, inFlight)
	if err == nil {
		err = errors.Join(do(sb, asking), asking.Close())
	}
	return start, errors.Join(err, sb.Stop(context.WithoutCancel(ctx)))
}

// Sample is what a script writes that the reference daemon executes in this runtime.
func (s *Session) Sample(ctx context.Context, script string) (output []byte, err error) {
	arm := Arm{Name: "sample", Role: trial.Candidate}
	_, err = s.visit(ctx, arm, target.Reference("registry"), 1, func(_ sandbox.Sandbox,
		asking speaker.Speaker) error {
		bounded, cancel := await.Limit(ctx, s.Patience(DefaultDeadline))
		defer cancel()
		answer := asking.Execute(bounded, dialect.Request{Script: script})
		if err := asking.Problem(); err != nil {
			return err
		}
		if !answer.Known || answer.Code != 0 {
			return fmt.Errorf("the reference daemon answered %+v", answer)
		}
		output = []byte(answer.Output)
		return nil
	})
	if err != nil {
		err = fmt.Errorf("ask what a command gets here: %w", err)
	}
	return output, err
}

// commandPace executes paceCommands, and more until least has passed. What counts is the
// mean of the answers that came: one that never comes says nothing of the pace.
func commandPace(ctx context.Context, c speaker.Speaker, seed uint64, least time.Duration) (
	latency time.Duration, answers int64, err error) {
	bounded, cancel := context.WithTimeout(ctx, paceLimit)
	defer cancel()
	var answered, took atomic.Int64
	began := time.Now()
	for n := 0; bounded.Err() == nil &&
		(n < paceCommands || time.Since(began) < least); n += paceCommands {
		_, _ = parallel.Do(bounded, n, n+paceCommands, paceInFlight, func(i int) {
			sent := time.Now()
			if c.Execute(bounded, load.Instant(i, load.Random(seed, "pace", i)).Request).Known {
				answered.Add(1)
				took.Add(int64(time.Since(sent)))
			}
		})
	}
	if err := ctx.Err(); err != nil {
		return 0, 0, context.Cause(ctx)
	}
	if err := c.Problem(); err != nil {
		return 0, 0, err
	}
	if answered.Load() == 0 {
		return 0, 0, fmt.Errorf("%w: no command was answered within %v", errNoPace, paceLimit)
	}
	return time.Duration(took.Load() / answered.Load()), answered.Load(), nil
}
