package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sys/unix"
)

// AtSocket is a Sandbox whose target may listen on a Unix socket.
type AtSocket interface {
	// Socket is its path as the target sees it; empty for a target at a port.
	Socket() string
}

// DialSocket dials a socket as the target's processes see it, whatever links lead there.
func DialSocket(sb Sandbox, path string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		if sb.PID() == 0 {
			return nil, errors.New("a socket in a sandbox whose processes are not of this machine")
		}
		root, err := unix.Open(fmt.Sprintf("/proc/%d/root", sb.PID()),
			unix.O_PATH|unix.O_CLOEXEC|unix.O_DIRECTORY, 0)
		if err != nil {
			return nil, fmt.Errorf("open the sandbox's root: %w", err)
		}
		defer unix.Close(root)
		file, err := unix.Openat2(root, path, &unix.OpenHow{
			Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT,
		})
		if err != nil {
			return nil, fmt.Errorf("open %s in the sandbox: %w", path, err)
		}
		defer unix.Close(file)
		return new(net.Dialer).DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d", file))
	}
}
