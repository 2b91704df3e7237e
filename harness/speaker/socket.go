package speaker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
)

// socketScheme is of the URL of a target at a Unix socket: unix:///run/daemon.sock.
const socketScheme = "unix://"

// ByPort says whether a target is asked at a port, and not at a Unix socket.
func ByPort(t target.Target) bool {
	return t.Dialect.OverHTTP() && t.Dialect.Socket == "" &&
		!strings.HasPrefix(t.URL, socketScheme)
}

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// atPath dials a socket of this machine.
func atPath(path string) dialer {
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
}

// inSandbox dials a socket as the target's processes see it, whatever links lead there.
func inSandbox(sb sandbox.Sandbox, path string) dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
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
		return atPath(fmt.Sprintf("/proc/self/fd/%d", file))(ctx, network, address)
	}
}

// AtSocket makes the speaker for a target at a Unix socket in its sandbox.
func AtSocket(sb sandbox.Sandbox, path string, d dialect.Dialect) Speaker {
	return overSocket(d, 1, inSandbox(sb, path))
}

// overSocket makes the speaker for a target that dial reaches.
func overSocket(d dialect.Dialect, inFlight int, dial dialer) Speaker {
	transport := &http.Transport{DialContext: dial}
	return atSocket{OverHTTP("http://localhost", d, inFlight, transport), d}
}

// atSocket is ready only where its target says so: nobody else has asked it.
type atSocket struct {
	Speaker
	dialect dialect.Dialect
}

func (a atSocket) Ready(ctx context.Context) (int, error) {
	status, err := a.Speaker.Ready(ctx)
	if err == nil && a.dialect.Ready != "" && status/100 != 2 {
		err = fmt.Errorf("HTTP %d from %s", status, a.dialect.Ready)
	}
	return status, err
}
