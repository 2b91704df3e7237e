package sandbox

import "context"

// PIDSetter is a Sandbox that lets the next process ID be chosen.
type PIDSetter interface {
	// SetNextPID gives pid to the next process or thread that the sandbox
	// starts, if the number is free, and the next free one above it if not. A
	// thread of the target's own may come first.
	// A shell of the harness's is in the sandbox from then on, until LeavePIDs.
	SetNextPID(ctx context.Context, pid int) error
	LeavePIDs()
}

// PIDLimiter is a Sandbox in which forks can be made to fail.
type PIDLimiter interface {
	// LimitPIDs leaves room for spare more processes and threads, 1 or more;
	// beyond it fork(2) and clone(2) fail with EAGAIN. FreePIDs must follow.
	LimitPIDs(ctx context.Context, spare int) error
	// FreePIDs lifts the limit.
	FreePIDs(ctx context.Context) error
}
