package driver

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/reapcheck/reapcheck/driver"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Dialect describes what a driver can say. Port is where its target listens; 0 where that
// is not known.
func Dialect(hello driver.FromDriver, port int) dialect.Dialect {
	return dialect.Spoken(hello.Name, port, dialect.Can{
		Output:  slices.Contains(hello.Can, driver.CanOutput),
		Merged:  slices.Contains(hello.Can, driver.CanMerged),
		Cwd:     slices.Contains(hello.Can, driver.CanCwd),
		Env:     slices.Contains(hello.Can, driver.CanEnv),
		Timeout: slices.Contains(hello.Can, driver.CanTimeout),
		Stdin:   slices.Contains(hello.Can, driver.CanStdin),
		HangUp:  slices.Contains(hello.Can, driver.CanAbandon),
	})
}

// can says whether the driver has said that it can do something.
func (p *Process) can(what string) bool { return slices.Contains(p.hello.Can, what) }

// Ready asks once. A driver that cannot tell is asked nothing: its target is ready when
// its port takes a connection, or at once where it has none.
func (p *Process) Ready(ctx context.Context) (int, error) {
	if !p.can(driver.CanReady) {
		return 0, p.listens(ctx)
	}
	id, c := p.open(driver.TypeReady)
	if err := p.send(ctx, driver.FromGate{Type: driver.TypeReady, ID: id}); err != nil {
		p.leave(id)
		return 0, err
	}
	select {
	case m := <-c.answer:
		if !m.Ready {
			return 0, fmt.Errorf("not ready: %s", m.Message)
		}
		return 0, nil
	case <-p.down:
		return 0, p.Problem()
	case <-ctx.Done():
		p.leave(id)
		return 0, errors.New("no word from the driver whether it is ready")
	}
}

// listens tries the port or the socket, where one is known.
func (p *Process) listens(ctx context.Context) error {
	at := p.place.Target
	network, address := "tcp", net.JoinHostPort(at.Host, strconv.Itoa(at.Port))
	if at.Socket != "" {
		network, address = "unix", at.Socket
	}
	if err := p.Problem(); err != nil || at.Socket == "" && at.Port == 0 {
		return err
	}
	return p.place.do(func() error {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// Execute asks once. An Answer of a driver that has a Problem says nothing of the target.
func (p *Process) Execute(ctx context.Context, r dialect.Request) trial.Answer {
	answer, _ := p.Exchange(ctx, r)
	return answer
}

// Exchange is Execute that also returns the driver's line.
func (p *Process) Exchange(ctx context.Context, r dialect.Request) (trial.Answer, []byte) {
	return p.ask(ctx, p.compose(r), errand{abandonAfter: r.HangUpAfter})
}

func (p *Process) compose(r dialect.Request) driver.Request {
	r = Dialect(p.hello, 0).InShell(r)
	asked := driver.Request{
		Script: r.Script, Argv: r.Argv(), Cwd: r.Cwd, Env: r.Env, TimeoutMs: r.Timeout.Milliseconds(),
	}
	if r.Stdin != nil {
		asked.Stdin = *r.Stdin
	}
	return asked
}

// errand is what is done to a command meanwhile; zero durations do nothing.
type errand struct {
	abandonAfter time.Duration
	killAfter    time.Duration
	signal       int
}

// ask sends a command and waits for what comes of it.
func (p *Process) ask(ctx context.Context, r driver.Request, e errand) (trial.Answer, []byte) {
	id, c := p.open(driver.TypeAnswer)
	m := driver.FromGate{Type: driver.TypeExecute, ID: id, Request: r}
	if err := p.send(ctx, m); err != nil {
		return p.giveUp(ctx, id, c)
	}
	sent, written := c.sent, time.Now()
	var abandon, kill <-chan time.Time
	// What is to happen counts from the moment at which the target was asked.
	begin := func() {
		if e.abandonAfter > 0 {
			abandon = time.After(e.abandonAfter - time.Since(written))
		}
		if e.killAfter > 0 {
			kill = time.After(e.killAfter - time.Since(written))
		}
	}
	begin()
	for {
		select {
		case m := <-c.answer:
			return translate(m)
		case <-sent:
			sent, written = nil, time.Now()
			begin()
		case <-kill:
			kill = nil
			_ = p.send(ctx, driver.FromGate{Type: driver.TypeKill, ID: id, Signal: e.signal})
		case <-abandon:
			return p.abandon(ctx, id, c)
		case <-p.down:
			return trial.Answer{Message: p.Problem().Error()}, nil
		case <-p.closing:
			return trial.Answer{Message: os.ErrClosed.Error()}, nil
		case <-ctx.Done():
			return p.giveUp(ctx, id, c)
		}
	}
}

// abandon lets the client go away, unless the answer is there.
func (p *Process) abandon(ctx context.Context, id int64, c *call) (trial.Answer, []byte) {
	if !p.leave(id) {
		return translate(<-c.answer)
	}
	_ = p.send(ctx, driver.FromGate{Type: driver.TypeAbandon, ID: id})
	if err := p.settle(ctx); err != nil {
		return trial.Answer{Message: err.Error()}, nil
	}
	return trial.Answer{HungUp: true}, nil
}

// giveUp ends the wait for a command past its deadline. Where the driver is well, it is
// the target that hangs.
func (p *Process) giveUp(ctx context.Context, id int64, c *call) (trial.Answer, []byte) {
	if !p.leave(id) {
		return translate(<-c.answer)
	}
	if err := p.Problem(); err != nil {
		return trial.Answer{Message: err.Error()}, nil
	}
	if !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return trial.Answer{Message: "interrupted"}, nil
	}
	if p.can(driver.CanAbandon) {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingLimit)
		defer cancel()
		_ = p.send(limited, driver.FromGate{Type: driver.TypeAbandon, ID: id})
	}
	if err := p.settle(ctx); err != nil {
		return trial.Answer{Message: err.Error()}, nil
	}
	return trial.Answer{Hung: true, Message: "no answer by the deadline"}, nil
}

// translate reads an answer that has been checked.
func translate(m said) (trial.Answer, []byte) {
	answer := trial.Answer{Output: m.Output, Message: m.Message}
	if m.OutputBase64 != "" {
		raw, _ := base64.StdEncoding.DecodeString(m.OutputBase64)
		answer.Output = string(raw)
	}
	switch {
	case m.ExitCode != nil:
		answer.Known, answer.Code = true, *m.ExitCode
	case m.Signal < 0 || m.Signal > 64: // the daemon's own mistake, which a driver passes on
		answer.Message = fmt.Sprintf("ended by signal %d, which there is not", m.Signal)
	case m.Signal != 0:
		answer.Known, answer.Code = true, 128+m.Signal
	default:
		answer.Failed = true
		answer.TimedOut = m.Word == driver.Timeout
		answer.NotStarted = m.Word == driver.StartError
		answer.Unknown = m.Word == driver.Unknown
		answer.Refused = m.Word == driver.Refused
		if answer.Message == "" {
			answer.Message = "the driver says: " + m.Word
		}
	}
	return answer, m.line
}
