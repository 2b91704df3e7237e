package client

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptrace"

	"github.com/reapcheck/reapcheck/harness/dialect"
)

// overOwn returns a send that has a connection of its own, on which the client goes
// on after its request: what net/http's client never does.
func (c *Client) overOwn(r dialect.Request) func(ctx context.Context, body []byte) (int, []byte, error) {
	return func(ctx context.Context, body []byte) (int, []byte, error) {
		req, err := c.request(ctx, body)
		if err != nil {
			return 0, nil, err
		}
		conn, err := c.http.Transport.(*http.Transport).DialContext(ctx, "tcp", req.URL.Host)
		if err != nil {
			return 0, nil, err
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() {
			// Once more: a target that read the first one together with the request looks
			// for a client that has gone, and this is what it then sees instead.
			_, _ = conn.Write([]byte(r.Behind))
			conn.Close()
		})()
		if err := req.Write(conn); err != nil {
			return 0, nil, err
		}
		_, _ = conn.Write([]byte(r.Behind)) // a target that has gone shows by its answer
		if half, ok := conn.(interface{ CloseWrite() error }); ok && r.HalfClose {
			_ = half.CloseWrite()
		}
		if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.WroteRequest != nil {
			trace.WroteRequest(httptrace.WroteRequestInfo{})
		}
		resp, err := finalResponse(bufio.NewReader(conn), req)
		if err != nil {
			return 0, nil, err
		}
		return c.take(resp)
	}
}

// finalResponse passes over interim answers (RFC 9110, 15.2).
func finalResponse(from *bufio.Reader, req *http.Request) (*http.Response, error) {
	for {
		resp, err := http.ReadResponse(from, req)
		if err != nil || resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
	}
}
