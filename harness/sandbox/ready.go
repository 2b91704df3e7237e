package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// readyRequest bounds one question whether the target is ready.
const readyRequest = time.Second

// readyPause is how long to wait before the next question: an eighth of the
// wait so far, so that the answer comes late by no more than that, be the start
// a namespace's 20 ms or a busy engine's 5 s.
func readyPause(waited time.Duration) time.Duration {
	return min(max(waited/8, time.Millisecond), 50*time.Millisecond)
}

// ErrEnded means that PID 1 ended while its readiness was awaited.
var ErrEnded = errors.New("target ended before it was ready")

// AwaitTarget waits until the target answers as spec says. The error carries
// the end of its log, and wraps ErrTarget unless ctx was cancelled.
func AwaitTarget(ctx context.Context, sb Sandbox, spec Spec) error {
	err := AwaitReady(ctx, sb, spec.Ready, cmp.Or(spec.StartLimit, DefaultStartLimit))
	if err == nil || ctx.Err() != nil {
		return err
	}
	return NotReady(sb, spec, err)
}

// AwaitReady waits until the target answers 2xx to the path ready, as it did when
// it was started; where ready is empty, until it answers anything at /. The error
// says what was seen last, or that the target ended.
func AwaitReady(ctx context.Context, sb Sandbox, ready string, limit time.Duration) error {
	transport := Transport(sb)
	transport.DisableKeepAlives = true
	return awaitReady(ctx, transport, question{sb.URL() + cmp.Or(ready, "/"), ready == ""}, limit, sb.Done())
}

// NotReady is the target's fault, unless its engine was lost.
func NotReady(sb Sandbox, spec Spec, err error) error {
	if lost := Lost(sb); lost != nil {
		return lost
	}
	p := &Problem{Kind: ErrTarget, Doing: "wait until it is ready", Cause: err, Log: sb.Log()}
	p.Advice = fmt.Sprintf("it must listen on 0.0.0.0:%d and answer %s", spec.Port, cmp.Or(spec.Ready, "HTTP"))
	if errors.Is(err, ErrEnded) {
		p.Cause, p.Advice = fmt.Errorf("%w: %s", err, sb.Ended()), "see its log and its flags"
	}
	return p
}

// question is where to ask, and whether any answer will do or only 2xx.
type question struct {
	url string
	any bool
}

// awaitReady asks until the answer is good. It gives up with ErrEnded as soon
// as ended is closed, with ctx's cause, or past the limit with the last thing
// that it saw.
func awaitReady(ctx context.Context, transport http.RoundTripper, q question, limit time.Duration, ended <-chan struct{}) error {
	deadline, began := time.NewTimer(limit), time.Now()
	defer deadline.Stop()
	for last := "nothing"; ; {
		seen, ok := probeReady(ctx, transport, q)
		if ok {
			return nil
		}
		if ctx.Err() == nil {
			last = seen
		}
		select {
		case <-ended:
			return ErrEnded
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w, last saw %s", q.url, context.Cause(ctx), last)
		case <-deadline.C:
			return fmt.Errorf("%s from %s expected within %v, last saw %s", q.wants(), q.url, limit, last)
		case <-time.After(readyPause(time.Since(began))):
		}
	}
}

func (q question) wants() string {
	if q.any {
		return "an HTTP answer"
	}
	return "2xx"
}

// probeReady says in words what one request saw, and whether that was good. A
// redirect is not followed: it may lead to another host.
func probeReady(ctx context.Context, transport http.RoundTripper, q question) (string, bool) {
	ctx, cancel := context.WithTimeout(ctx, readyRequest)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, q.url, nil)
	if err != nil {
		return err.Error(), false
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err.Error(), false
	}
	response.Body.Close()
	seen := response.Status
	if to := response.Header.Get("Location"); to != "" {
		seen += fmt.Sprintf(" to %q, which is not followed", to)
	}
	return seen, q.any || response.StatusCode/100 == 2
}
