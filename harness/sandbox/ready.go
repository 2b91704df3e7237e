package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/probe"
)

// readyRequest bounds one question whether the target is ready.
const readyRequest = 5 * time.Second

// Pauses between two questions grow with the wait, be the start a namespace's 20 ms
// or a busy engine's 5 s.
const (
	readyPause   = time.Millisecond
	slowestPause = 50 * time.Millisecond
)

// notFound is how a target ends that did not find what it runs on (env(1), ld.so(8)), and
// noInterpreter the last word where the kernel did not find it (ENOENT in execve(2), though
// the file is there), as runc says it.
const (
	notFound      = "exit status 127"
	noInterpreter = ": no such file or directory"
)

// ErrEnded means that PID 1 ended while its readiness was awaited.
var ErrEnded = errors.New("target ended before it was ready")

// AwaitTarget waits until the target answers as spec says. The error carries
// the end of its log, and wraps ErrTarget unless ctx was cancelled.
func AwaitTarget(ctx context.Context, sb Sandbox, spec Spec) error {
	err := awaitStart(ctx, sb, spec)
	if err == nil {
		noteDaemon(sb, spec)
	}
	if err == nil || ctx.Err() != nil || errors.Is(err, ErrAsking) {
		return err
	}
	return NotReady(sb, spec, err)
}

func awaitStart(ctx context.Context, sb Sandbox, spec Spec) error {
	limit := cmp.Or(spec.StartLimit, DefaultStartLimit)
	if spec.Await == nil {
		return AwaitReady(ctx, sb, spec.Ready, limit)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return spec.Await(ctx, sb)
}

// AwaitReady waits until the target answers 2xx to the path ready, as it did when
// it was started; where ready is empty, until it answers anything at /. The error
// says what was seen last, or that the target ended.
func AwaitReady(ctx context.Context, sb Sandbox, ready string, limit time.Duration) error {
	transport := Transport(sb)
	transport.DisableKeepAlives = true
	return awaitReady(ctx, transport, question{sb.URL() + cmp.Or(ready, "/"), ready == ""}, limit,
		sb.Done())
}

// NotReady is the target's fault, unless its engine was lost.
func NotReady(sb Sandbox, spec Spec, err error) error {
	if lost := Lost(sb); lost != nil {
		return lost
	}
	p := &Problem{Kind: ErrTarget, Doing: "wait until it is ready", Cause: err, Log: sb.Log()}
	p.Advice = fmt.Sprintf("it must listen on 0.0.0.0:%d and answer %s%s", spec.Port,
		cmp.Or(spec.Ready, "HTTP"), listens(sb))
	if spec.Await != nil {
		p.Advice = "it must be ready as its dialect or driver says, " +
			"see: reapcheck driver check --help"
	}
	if errors.Is(err, ErrEnded) {
		p.Cause, p.Advice = fmt.Errorf("%w: %s", err, sb.Ended()), "see its log and its flags"
		if sb.Ended() == notFound || neverBegan(p.Log) {
			p.Advice = "a script needs its interpreter in the sandbox, and a program its " +
				"libraries: give an --image that has them, or --runtime=namespace, which has " +
				"this machine's files"
		}
	}
	return p
}

// listens says who waits for connections in a sandbox; empty where that cannot be seen.
func listens(sb Sandbox) string {
	if sb.PID() == 0 {
		return ""
	}
	all, err := probe.Listening(sb.PID())
	if err != nil {
		return ""
	}
	var names []string
	for _, l := range all {
		names = append(names, l.String())
	}
	return "; there it listens on " + cmp.Or(strings.Join(names, ", "), "nothing")
}

// neverBegan says whether all that a log has is that the program could not be executed.
func neverBegan(log []byte) bool {
	text := bytes.TrimSpace(log)
	return bytes.HasPrefix(text, []byte("exec ")) && bytes.HasSuffix(text, []byte(noInterpreter))
}

// question is where to ask, and whether any answer will do or only 2xx.
type question struct {
	url string
	any bool
}

// awaitReady asks until the answer is good. It gives up with ErrEnded as soon
// as ended is closed, with ctx's cause, or past the limit with the last thing
// that it saw.
func awaitReady(ctx context.Context, transport http.RoundTripper, q question, limit time.Duration,
	ended <-chan struct{}) error {
	last := "nothing"
	err := await.Wait{
		For:     q.wants() + " from " + q.url,
		Every:   readyPause,
		Slowest: slowestPause,
		Limit:   limit,
		Over:    ended,
	}.Until(ctx, func() (any, bool, error) {
		seen, ok := probeReady(ctx, transport, q)
		if ctx.Err() == nil {
			last = seen
		}
		return last, ok, nil
	})
	if errors.Is(err, await.ErrOver) {
		return ErrEnded
	}
	return err
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

// EndsWithin says whether PID 1 of a sandbox has ended, or does so within the limit; 0 is for
// now. A context that is cancelled ends the wait.
func EndsWithin(ctx context.Context, sb Sandbox, limit time.Duration) bool {
	ctx, cancel := await.Limit(ctx, limit)
	defer cancel()
	select {
	case <-sb.Done():
	case <-ctx.Done():
	}
	select { // where both are so, it has ended
	case <-sb.Done():
		return true
	default:
		return false
	}
}
