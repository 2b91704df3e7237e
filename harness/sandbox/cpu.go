package sandbox

import "context"

// CPULimiter is a Sandbox that can be kept short of CPU.
type CPULimiter interface {
	// LimitCPU leaves it a share of one CPU, such as 0.1. FreeCPU must follow.
	LimitCPU(ctx context.Context, share float64) error
	// Throttled is in how many periods, of 100 ms each, the share was used up
	// and all had to wait for the next one.
	Throttled() (int64, error)
	// FreeCPU lifts the limit.
	FreeCPU(ctx context.Context) error
}
