package sandbox

import (
	"context"
	"net"
	"net/http"
)

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
	if d, ok := sb.(Dialer); ok {
		t.DialContext = d.Dial
	}
	return t
}
