package speaker

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"

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

// AtSocket makes the speaker for a target at a Unix socket in its sandbox.
func AtSocket(sb sandbox.Sandbox, path string, d dialect.Dialect) Speaker {
	return overSocket(d, 1, sandbox.DialSocket(sb, path))
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
