// Package client asks a target over HTTP to execute a command and says what came
// back, in the words of package trial. What is sent and how an answer is read is
// the dialect's; it shares nothing with the daemon's code.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	return &Client{
		base:    base,
		http:    &http.Client{Transport: transport, CheckRedirect: stay},
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
	answer, _ := c.Exchange(ctx, r)
	return answer
}

// Exchange is Execute that also returns the answer's body as it came, for who
// wants to see why it was not understood.
func (c *Client) Exchange(ctx context.Context, r dialect.Request) (trial.Answer, []byte) {
	body, err := json.Marshal(c.dialect.Compose(r))
	if err != nil {
		return trial.Answer{Message: fmt.Sprintf("encode request: %v", err)}, nil
	}
	patience, cancel := hangUp(ctx, r.HangUpAfter)
	defer cancel()
	status, raw, err := c.send(patience, body)
	switch {
	case patience.Err() != nil && ctx.Err() == nil:
		return trial.Answer{HungUp: true}, raw
	case errors.Is(err, context.DeadlineExceeded):
		return trial.Answer{Hung: true, Message: "no answer by the deadline"}, raw
	case err != nil:
		return trial.Answer{Message: err.Error()}, raw
	}
	return c.dialect.Read(status, raw), raw
}

// hangUp returns a context for one request, which ends that long after the request
// was written: a target that has not been asked yet has nothing to abandon, however
// long a busy machine takes to connect. Zero never ends it.
func hangUp(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	if after <= 0 {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { time.AfterFunc(after, cancel) },
	}), cancel
}

func (c *Client) send(ctx context.Context, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, c.dialect.Request.Method, c.base+c.dialect.Request.Path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	for name, value := range c.dialect.Request.Headers {
		req.Header.Set(name, value)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, int64(c.most)+1))
	if err == nil && len(raw) > c.most {
		err = fmt.Errorf("read answer: it is longer than %d MiB", c.most>>20)
	}
	return resp.StatusCode, raw, err
}
