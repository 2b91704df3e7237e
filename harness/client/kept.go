package client

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// kept asks on connections that it keeps, and writes and reads where it is asked. net/http's
// Transport has two goroutines for each connection, and to wake them is a fifth of what a
// request costs: CPU time that the target does not get.
//
// What is more than a small request to the target itself goes to that Transport all the same.
type kept struct {
	other *http.Transport
	most  int // connections that rest

	mu    sync.Mutex
	idle  []*connection // the one that has rested longest first
	sweep *time.Timer   // ends those that have rested for idleLimit; nil while there is none
}

// smallBody is one that any socket takes at once, with its head (tcp_wmem in tcp(7)).
const smallBody = 4 << 10

// connection is one that the target keeps open too.
type connection struct {
	net.Conn
	from  *bufio.Reader
	since time.Time // when it began to rest
}

// RoundTrip is http.RoundTripper's.
func (k *kept) RoundTrip(req *http.Request) (*http.Response, error) {
	if !k.small(req) {
		return k.other.RoundTrip(req)
	}
	ctx := req.Context()
	conn, err := k.take(ctx, req.URL)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	resp, err := conn.ask(req)
	if err != nil {
		stop()
		conn.Close()
		return nil, errors.Join(ctx.Err(), err)
	}
	resp.Body = &answerBody{from: resp.Body, end: func(whole bool) {
		if stop() && whole && !resp.Close {
			k.give(conn)
			return
		}
		conn.Close()
	}}
	return resp, nil
}

// small says whether a request fits into any socket, or an answer that comes before it was
// written would wait for ever, and needs nothing but a connection to the target.
func (k *kept) small(req *http.Request) bool {
	return req.ContentLength >= 0 && req.ContentLength <= smallBody && req.URL.Scheme == "http" &&
		req.Header.Get("Upgrade") == "" && !k.proxied(req)
}

func (k *kept) proxied(req *http.Request) bool {
	if k.other.Proxy == nil {
		return false
	}
	proxy, err := k.other.Proxy(req)
	return proxy != nil || err != nil
}

// ask writes the request and reads the head of the answer.
func (c *connection) ask(req *http.Request) (*http.Response, error) {
	err := req.Write(c)
	if trace := httptrace.ContextClientTrace(req.Context()); trace != nil &&
		trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{Err: err})
	}
	if err != nil {
		return nil, err
	}
	return finalResponse(c.from, req)
}

// take returns a connection that rests, or a new one.
func (k *kept) take(ctx context.Context, to *url.URL) (*connection, error) {
	for conn := k.last(); conn != nil; conn = k.last() {
		if conn.quiet() {
			return conn, nil
		}
		conn.Close()
	}
	fresh, err := k.reach(ctx, to)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: fresh, from: bufio.NewReader(fresh)}, nil
}

// last takes the connection that has rested for the shortest time; nil for none.
func (k *kept) last() *connection {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := len(k.idle) - 1
	if n < 0 {
		return nil
	}
	conn := k.idle[n]
	k.idle = k.idle[:n]
	return conn
}

// quiet is false where the target has closed the connection, or said something unasked.
func (c *connection) quiet() bool {
	if c.from.Buffered() > 0 {
		return false
	}
	socket, ok := c.Conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	var said error
	err = raw.Read(func(fd uintptr) bool {
		_, _, said = unix.Recvfrom(int(fd), make([]byte, 1), unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return true
	})
	return err == nil && errors.Is(said, unix.EAGAIN)
}

// give lets a connection rest.
func (k *kept) give(conn *connection) {
	conn.since = time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.idle) >= k.most {
		conn.Close()
		return
	}
	k.idle = append(k.idle, conn)
	if k.sweep == nil {
		k.sweep = time.AfterFunc(idleLimit, k.tidy)
	}
}

// tidy ends the connections that have rested for too long.
func (k *kept) tidy() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sweep = nil
	for len(k.idle) > 0 {
		left := idleLimit - time.Since(k.idle[0].since)
		if left > 0 {
			k.sweep = time.AfterFunc(left, k.tidy)
			return
		}
		k.idle[0].Close()
		k.idle = k.idle[1:]
	}
}

// CloseIdleConnections is what http.Client looks for.
func (k *kept) CloseIdleConnections() {
	k.other.CloseIdleConnections()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, conn := range k.idle {
		conn.Close()
	}
	k.idle = nil
	if k.sweep != nil {
		k.sweep.Stop()
		k.sweep = nil
	}
}

// answerBody ends its connection's turn when it is closed. whole says that all was read.
type answerBody struct {
	from  io.ReadCloser
	end   func(whole bool)
	whole bool
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.whole = b.whole || errors.Is(err, io.EOF)
	return n, err
}

func (b *answerBody) Close() error {
	if b.end == nil {
		return nil
	}
	b.whole = b.whole || b.from == http.NoBody
	b.end(b.whole)
	b.end = nil
	return nil
}
