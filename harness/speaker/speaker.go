// Package speaker chooses who asks a target to execute commands: the client that speaks
// HTTP in a dialect, a driver, or a command line.
//
// Open is the front door. No one else makes a client.
package speaker

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/client"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/driver"
	"github.com/reapcheck/reapcheck/harness/sandbox"
	"github.com/reapcheck/reapcheck/harness/target"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Speaker asks one target. It may be used by many goroutines.
type Speaker interface {
	dialect.Speaker
	// Execute asks for one command, once. All that goes wrong on the way is in the
	// Answer.
	Execute(ctx context.Context, r dialect.Request) trial.Answer
	// Problem says why the speaker itself does not work any more: its answers count for
	// nothing from then on. nil as a rule.
	Problem() error
	// Idle lets go of what waits for the next command, since that may take a while.
	Idle()
	// Close returns when nothing of the speaker is left.
	Close() error
}

// Open makes the speaker for a target in its sandbox, with room for as many commands as
// will be in flight.
func Open(ctx context.Context, t target.Target, sb sandbox.Sandbox, inFlight int) (Speaker, error) {
	switch {
	case len(t.Driver) > 0:
		p, err := driver.Start(ctx, t.Driver, driver.In(sb), inFlight)
		if err != nil {
			return nil, err // and no Process in an interface
		}
		return p, nil
	case len(t.Exec) > 0:
		x, err := driver.NewExec(t.Exec, driver.In(sb), inFlight)
		if err != nil {
			return nil, err
		}
		return x, nil
	}
	if t.Dialect.Socket != "" && t.URL == "" {
		return overSocket(t.Dialect, inFlight, sandbox.DialSocket(sb, t.Dialect.Socket)), nil
	}
	return OverHTTP(sb.URL(), t.Dialect, inFlight, sandbox.Transport(sb)), nil
}

// OverHTTP makes the speaker for a target at a URL that transport reaches. One that
// begins with unix:// is the path of a socket.
func OverHTTP(base string, d dialect.Dialect, inFlight int, transport *http.Transport) Speaker {
	if path, ok := strings.CutPrefix(base, socketScheme); ok {
		return overSocket(d, inFlight, atPath(path))
	}
	return overHTTP{client.New(base, d, inFlight, transport)}
}

type overHTTP struct{ *client.Client }

func (overHTTP) Problem() error { return nil }

func (c overHTTP) Idle() { c.Client.Close() }

func (c overHTTP) Close() error {
	c.Client.Close()
	return nil
}

// Spec is the sandbox that the target asks for, with how to wait for it. One of this project's
// is found in programs.
func Spec(t target.Target, name string, programs map[target.Build]string) sandbox.Spec {
	spec := t.Spec(name, programs)
	spec.Await = until(t)
	return spec
}

// until is how a target's sandbox waits for it, or nil for one that answers over HTTP at
// its port.
func until(t target.Target) func(ctx context.Context, sb sandbox.Sandbox) error {
	if ByPort(t) {
		return nil
	}
	return func(ctx context.Context, sb sandbox.Sandbox) error {
		s, err := Open(ctx, t, sb, 1)
		if err != nil {
			return asking(err)
		}
		defer s.Close()
		return AwaitReady(ctx, s, sb.Done(), sandbox.DefaultStartLimit)
	}
}

// AwaitReady waits until the speaker finds its target ready, at most for limit. ended is
// closed when the target has ended.
func AwaitReady(ctx context.Context, s Speaker, ended <-chan struct{}, limit time.Duration) error {
	err := await.Wait{
		For: "a target that is ready", Every: time.Millisecond, Slowest: 50 * time.Millisecond,
		Limit: limit, Over: ended,
	}.Until(ctx, func() (any, bool, error) {
		asked, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err := s.Ready(asked)
		if s.Problem() != nil {
			return nil, false, asking(s.Problem())
		}
		return err, err == nil, nil
	})
	if err == await.ErrOver {
		return sandbox.ErrEnded
	}
	return err
}

func asking(err error) error { return fmt.Errorf("%w: %w", sandbox.ErrAsking, err) }
