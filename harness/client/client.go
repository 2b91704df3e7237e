// Package client asks a target over HTTP to execute a command and says what came
// back, in the words of package trial. What is sent and how an answer is read is
// the dialect's; it shares nothing with the daemon's code.
package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Client talks to one target. It may be used by many goroutines.
type Client struct {
	base    string
	http    *http.Client
	kept    *kept // by which http asks
	dialect dialect.Dialect
	most    int // bytes that are read of an answer
}

// A broken target cannot exhaust the harness: the answers to all requests in flight
// share maxAnswers, which leaves room for what the scenario flood writes, and each
// of them may have minAnswer, which is more than many at once have to say.
const (
	maxAnswers = 128 << 20
	minAnswer  = 1 << 20
)

// idleLimit is below the time after which servers close idle connections. One that
// does so as a request comes in does not answer it, which would count as an error.
const idleLimit = time.Second

// New returns a client for the target at base, which transport reaches. It
// keeps as many connections open as requests are in flight: reconnecting would
// spend ports, not find races.
func New(base string, d dialect.Dialect, inFlight int, transport *http.Transport) *Client {
	transport.MaxIdleConns = inFlight
	transport.MaxIdleConnsPerHost = inFlight
	transport.IdleConnTimeout = idleLimit
	if transport.DialContext == nil {
		transport.DialContext = new(net.Dialer).DialContext
	}
	transport.DialContext = dial(transport.DialContext).again
	own := &kept{other: transport, most: inFlight}
	return &Client{
		base:    base,
		http:    &http.Client{Transport: own, CheckRedirect: stay},
		kept:    own,
		dialect: d,
		most:    max(minAnswer, maxAnswers/max(1, inFlight)),
	}
}

// stay follows no redirect: requests are for the target, and it could send the
// load to any host.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Close drops the idle connections. The client can be used again.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Ready asks once for the dialect's path for readiness, and returns the HTTP status.
func (c *Client) Ready(ctx context.Context) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+c.dialect.Ready, nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

// Execute asks once: a lost answer is a finding, so nothing is asked again.
// (net/http repeats a POST only where not one byte of it was written.)
// Everything that can go wrong is in the Answer; a deadline that passes is a
// hung target.
func (c *Client) Execute(ctx context.Context, r dialect.Request) trial.Answer {
	answer, _ := c.exchange(ctx, r, false)
	return answer
}

// Exchange is Execute that also returns the answer's body as it came, for who
// wants to see why it was not understood. Of a conversation it is what came of each step.
func (c *Client) Exchange(ctx context.Context, r dialect.Request) (trial.Answer, []byte) {
	return c.exchange(ctx, r, true)
}

func (c *Client) exchange(ctx context.Context, r dialect.Request, keep bool) (trial.Answer, []byte) {
	patience, cancel := context.WithCancel(ctx)
	defer cancel()
	t := &talk{client: c, request: r, begun: c.dialect.Begin(r), hangUp: cancel, keep: keep}
	t.begun.Most(c.most)
	why := t.steps(patience)
	t.kill.Wait()
	gone := patience.Err() != nil && ctx.Err() == nil
	if !gone {
		// The command is answered by then: one who is being stopped may be gone before it is
		// asked to clean up. Whatever failed before may be told with that.
		if failed := t.cleanUp(ctx); why != nil {
			why = errors.Join(why, failed)
		}
	}
	raw := t.raw.Bytes()
	switch {
	case gone:
		return trial.Answer{HungUp: true}, raw
	case why != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded):
		return trial.Answer{Hung: true, Message: t.unanswered()}, raw
	case why != nil && !errors.As(why, new(*heardError)):
		return trial.Answer{Message: why.Error()}, raw
	}
	return t.begun.Answer(why), raw
}

// open asks by a message. sent is called when the request was written; nil for nobody.
func (c *Client) open(ctx context.Context, m dialect.Message, sent func()) (*http.Response, error) {
	if sent != nil {
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
			WroteRequest: func(httptrace.WroteRequestInfo) { sent() },
		})
	}
	req, err := c.request(ctx, m)
	if err != nil {
		return nil, err
	}
	return c.http.Do(req)
}

func (c *Client) request(ctx context.Context, m dialect.Message) (*http.Request, error) {
	var body io.Reader
	if m.Body != nil {
		body = bytes.NewReader(m.Body)
	}
	req, err := http.NewRequestWithContext(ctx, m.Method, c.base+m.Path, body)
	if err != nil {
		return nil, err
	}
	req.Header = m.Header
	return req, nil
}

// limited gives an error where the body goes on behind the limit.
type limited struct {
	from io.Reader
	left int
	most int
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.from.Read(p[:min(len(p), l.left+1)])
	if l.left -= n; l.left < 0 {
		return 0, tooLong(l.most)
	}
	return n, err
}

func tooLong(most int) error {
	return fmt.Errorf("read answer: it is longer than %d MiB", most>>20)
}
