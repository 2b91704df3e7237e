package fault

import (
	"context"
	"fmt"
	"net"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Crowd has clients connect and say nothing until the numbers of the target's files have
// passed FD_SETSIZE. A target whose limit on open files forbids such numbers is left half
// of them.
//
// A hit is such a client.
type Crowd struct{}

// crowded is more than select(2) can tell of.
const crowded = unix.FD_SETSIZE + 16

// Name says what happens.
func (Crowd) Name() string { return fmt.Sprintf("a crowd of %d clients", crowded) }

// Prepare asks for nothing: the sandbox is asked when there is one.
func (Crowd) Prepare(*sandbox.Spec) error { return nil }

// Inject declines where there is no room for the crowd outside of the target.
func (Crowd) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	var limit unix.Rlimit
	if sb.PID() == 0 {
		return nil, fmt.Errorf("%w: the target's process cannot be seen", ErrDeclined)
	}
	if err := unix.Prlimit(sandbox.Daemon(sb), unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		return nil, fmt.Errorf("%w: ask for the target's limit on open files: %w", ErrDeclined, err)
	}
	clients := int(min(crowded, limit.Cur/2))
	return connect(ctx, sb, slices.Repeat([]func(net.Conn) error{nothing}, clients))
}
