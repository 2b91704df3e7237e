// Package bench measures what a strategy costs: executions per second and
// latencies beside the other strategies and beside what the machine can do
// without a server, what thousands of commands in flight hold, and what a great
// many leave behind.
//
// Bench.Run is the front door; the Report says what was measured and what that
// is worth against the requirements. What is compared takes turns, many and
// short, so that noise which comes and goes on the machine meets all of it.
// Every answer of a turn is judged: a daemon that is fast and wrong does not pass.
package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/procfs"

	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/target"
)

const (
	none     = "none"
	registry = "registry"
	// Candidate is the contestant that is someone's own daemon.
	Candidate = "candidate"
)

// Part is a part of a bench that can be run alone.
type Part string

const (
	// Rates compares executions per second.
	Rates Part = "rates"
	// Arrivals lets requests come at rates of their own.
	Arrivals Part = "arrivals"
	// Sleeps looks at a daemon with thousands of commands in flight.
	Sleeps Part = "sleeps"
	// Leaks looks at a daemon after a great many commands.
	Leaks Part = "leaks"
)

// Parts are all parts, in the order in which they run.
var Parts = []Part{Rates, Arrivals, Sleeps, Leaks}

// Scale says how much is measured.
type Scale struct {
	Parts []Part
	// Strategies are the daemons that are measured: the reference daemon's strategies,
	// and Candidate.
	Strategies []string
	// Length is how long the rates are measured, in turns that last Turn each.
	Length, Turn time.Duration
	// Arrivals are how many requests come a second, one number after the other; none
	// are shares of what the daemon reaches in a closed loop.
	Arrivals []int
	// Sleeps are how many commands are to be in flight, one number after the other.
	Sleeps []int
	// Compared bounds them for daemons that are shown for comparison; zero does not.
	Compared int
	// Commands is how many are executed before the look for what they left.
	Commands int
}

// Bench is one run.
type Bench struct {
	Scale
	Runtime sandbox.Runtime
	// Daemon is the path of the reference daemon's ordinary build.
	Daemon string
	// Target is what Candidate stands for.
	Target target.Target
	// Hub puts a launcher in front of one daemon.
	Hub *seccomp.Hub
	// Until is when the bench is to be over: the look for leaks, its last part, executes fewer
	// commands of a daemon that is slow. Zero is no limit.
	Until    time.Time
	Seed     uint64
	Progress *session.Progress
}

// Run measures and adds to the report as it goes, so that an interrupted run
// leaves what it saw. The error says why it did not reach its end.
func (b *Bench) Run(ctx context.Context, report *Report) error {
	parts := map[Part]func(context.Context, *Report) error{
		Rates:    b.rates,
		Arrivals: b.arrivals,
		Sleeps:   b.sleeps,
		Leaks:    b.leaks,
	}
	for _, part := range Parts {
		if !slices.Contains(b.Parts, part) {
			continue
		}
		if err := parts[part](ctx, report); err != nil {
			return fmt.Errorf("measure %s: %w", part, err)
		}
	}
	return nil
}

// target is what goes by that name.
func (b *Bench) target(name string) target.Target {
	if name == Candidate {
		return b.Target
	}
	return target.Reference(name)
}

// foreign says whether someone's own daemon is measured, which is judged then; else
// the reference daemon is.
func (s Scale) foreign() bool { return slices.Contains(s.Strategies, Candidate) }

// Machine says how busy the machine was when the bench did nothing itself.
type Machine struct {
	// Load1 and Load5 are the load averages over one and five minutes.
	Load1 float64 `json:"load1"`
	Load5 float64 `json:"load5"`
	// Idle is how much of all CPUs was idle during one second, 0..1.
	Idle float64 `json:"idle"`
}

// String is for people. A bench that ends early has not looked afterwards.
func (m Machine) String() string {
	if m == (Machine{}) {
		return "not looked at"
	}
	return fmt.Sprintf("load %.2f, %.0f %% idle", m.Load1, 100*m.Idle)
}

// window is how long the CPUs are looked at.
const window = time.Second

// LookAtMachine takes a second.
func LookAtMachine(ctx context.Context) (m Machine, err error) {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return m, fmt.Errorf("look at the machine: %w", err)
	}
	load, err := proc.LoadAvg()
	if err != nil {
		return m, fmt.Errorf("look at the machine: %w", err)
	}
	m.Load1, m.Load5 = load.Load1, load.Load5
	before, err := proc.Stat()
	if err != nil {
		return m, fmt.Errorf("look at the machine: %w", err)
	}
	timer := time.NewTimer(window)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return m, context.Cause(ctx)
	}
	after, err := proc.Stat()
	if err != nil {
		return m, fmt.Errorf("look at the machine: %w", err)
	}
	m.Idle = idle(before.CPUTotal, after.CPUTotal)
	return m, nil
}

// idle is the share of idle time between two readings, which are in seconds
// since boot.
func idle(before, after procfs.CPUStat) float64 {
	rest := after.Idle + after.Iowait - before.Idle - before.Iowait
	busy := (after.User + after.Nice + after.System + after.IRQ + after.SoftIRQ + after.Steal) -
		(before.User + before.Nice + before.System + before.IRQ + before.SoftIRQ + before.Steal)
	if rest <= 0 || rest+busy <= 0 { // the kernel's idle times may run backwards (proc(5))
		return 0
	}
	return min(1, rest/(rest+busy))
}
