package client

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"

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
	conn, err := c.kept.reach(ctx, req.URL)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() {
		// Once more: a target that read the first one together with the request looks
		// for a client that has gone, and this is what it then sees instead.
		_, _ = conn.Write([]byte(r.Behind))
		if r.Reset {
			withoutAWord(conn)
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
	resp.Body = &answerBody{from: resp.Body, end: func(bool) { end() }}
	return resp, nil
}

// reach connects to where a URL points to, as net/http does.
func (k *kept) reach(ctx context.Context, to *url.URL) (net.Conn, error) {
	address := net.JoinHostPort(to.Hostname(), dialect.PortOf(to))
	conn, err := k.other.DialContext(ctx, "tcp", address)
	if err != nil || to.Scheme != "https" {
		return conn, err
	}
	config := k.other.TLSClientConfig.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.ServerName, config.NextProtos = cmp.Or(config.ServerName, to.Hostname()),
		[]string{"http/1.1"}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// withoutAWord has the kernel send RST in the place of FIN (socket(7), SO_LINGER).
func withoutAWord(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if abrupt, ok := conn.(interface{ SetLinger(int) error }); ok {
		_ = abrupt.SetLinger(0)
	}
}

// closeSending says that no more will come from this side.
func closeSending(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
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
