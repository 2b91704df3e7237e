package sandbox

import (
	"context"
	"net"
	"net/http"
)

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

// Dialer is a Sandbox whose URL holds inside its own network. Whoever talks to
// the target needs its Dial; Transport takes care of that.
type Dialer interface {
	Dial(ctx context.Context, network, address string) (net.Conn, error)
}

// Transport returns a new HTTP transport that reaches the sandbox's URL. It
// asks no proxy. Its connections end with the target at the latest.
func Transport(sb Sandbox) *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.Proxy = nil
	if at, ok := sb.(AtSocket); ok && at.Socket() != "" {
		t.DialContext = DialSocket(sb, at.Socket())
	} else if d, ok := sb.(Dialer); ok {
		t.DialContext = d.Dial
	}
	return t
}

// Freezer is a Sandbox that can be stopped as a whole from outside. Its clocks
// go on.
type Freezer interface {
	// Freeze returns when nothing in the sandbox runs any more. Thaw must follow.
	Freeze(ctx context.Context) error
	// Thaw lets run on what Freeze has stopped.
	Thaw(ctx context.Context) error
}

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

// MemoryLimiter is a Sandbox that can run out of memory.
type MemoryLimiter interface {
	// LimitMemory leaves it as much again as it holds, and spare bytes; who wants more is
	// killed by the kernel, or who has the most. FreeMemory must follow.
	LimitMemory(ctx context.Context, spare int64) error
	// KilledForMemory is how many processes the kernel has killed there so far.
	KilledForMemory() (int64, error)
	// FreeMemory lifts the limit.
	FreeMemory(ctx context.Context) error
}

// Networked is a Sandbox that can have a network of its own, in which programs of this
// machine can be started.
type Networked interface {
	// Inside calls do, on a thread that is in that network if there is one. What do
	// starts is in it too. The thread ends after do has returned.
	Inside(do func() error) error
}

// Contained is a Sandbox that is an engine's container.
type Contained interface {
	// ContainerID is the engine's name of it.
	ContainerID() string
}
