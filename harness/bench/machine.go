package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/procfs"
)

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
