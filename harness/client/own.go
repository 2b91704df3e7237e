package client

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/reapcheck/reapcheck/harness/dialect"
)

// openOwn is open on a connection of its own, on which the client goes on after its
// request: what net/http's client never does. Closing the answer's body closes it.
func (c *Client) openOwn(ctx context.Context, m dialect.Message, r dialect.Request,
	sent func()) (*http.Response, error) {
	req, err := c.request(ctx, m)
	if err != nil {
		return nil, err
	}
	conn, err := c.http.Transport.(*http.Transport).DialContext(ctx, "tcp", req.URL.Host)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() {
		// Once more: a target that read the first one together with the request looks
		// for a client that has gone, and this is what it then sees instead.
		_, _ = conn.Write([]byte(r.Behind))
		if abrupt, ok := conn.(interface{ SetLinger(int) error }); ok && r.Reset {
			_ = abrupt.SetLinger(0)
		}
		conn.Close()
	})
	end := func() {
		stop()
		conn.Close()
	}
	from := bufio.NewReader(conn)
	again, err := c.writeAs(ctx, r, conn, from, req, m)
	if err != nil {
		end()
		return nil, errors.Join(ctx.Err(), err)
	}
	if again {
		end()
		m.Header.Del("Connection")
		r.Way = ""
		return c.openOwn(ctx, m, r, sent)
	}
	_, _ = conn.Write([]byte(r.Behind)) // a target that has gone shows by its answer
	if r.HalfClose {
		closeSending(conn)
	}
	if sent != nil {
		sent()
	}
	resp, err := finalResponse(from, req)
	if err != nil {
		end()
		return nil, errors.Join(ctx.Err(), err)
	}
	resp.Body = owned{resp.Body, end}
	return resp, nil
}

// closeSending says that no more will come from this side.
func closeSending(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// owned is the body of an answer that has its connection for itself.
type owned struct {
	io.Reader
	end func()
}

func (o owned) Close() error {
	o.end()
	return nil
}

// finalResponse passes over interim answers (RFC 9110, 15.2).
func finalResponse(from *bufio.Reader, req *http.Request) (*http.Response, error) {
	for {
		resp, err := http.ReadResponse(from, req)
		if err != nil || resp.StatusCode >= 200 ||
			resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
	}
}
