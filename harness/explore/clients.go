package explore

import (
	"context"
	"fmt"
	"net"
	"net/http/httptrace"
	"slices"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/explore/tracer"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/speaker"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// clients are those of one run. They know at each rest whether an answer that the
// target has written has been read to its end: whether it came before a choice or
// after it must not depend on how busy this machine is.
type clients struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced at each change
	read    int64         // bytes
	wrote   int64
	ended   int // connections
	dialogs []*dialog
}

// dialog is one request. Its fields are guarded by clients.mu.
type dialog struct {
	command load.Command
	answer  trial.Answer
	done    bool
	written bool // its request, or a part of it, is in the target's queue
	pending bool // another part is still to come
	closed  bool // its connection is
	reading bool // it waits for more of its answer
	hungUp  bool // before its answer came
	cancel  context.CancelFunc
}

func newClients() *clients { return &clients{changed: make(chan struct{})} }

// update changes what is known, and wakes who waits for it.
func (c *clients) update(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	close(c.changed)
	c.changed = make(chan struct{})
}

// ask sends a request on a connection of its own. Its goroutine ends with the answer,
// or with the run.
func (c *clients) ask(ctx context.Context, x *Explorer, command load.Command) {
	ctx, cancel := context.WithCancel(ctx)
	d := &dialog{command: command, cancel: cancel}
	c.update(func() { c.dialogs = append(c.dialogs, d) })
	transport := x.transport()
	transport.DisableKeepAlives = true
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		// However busy this machine is: a connection that was given up would be the target's.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), await.Broken)
		defer cancel()
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &metered{Conn: conn, clients: c, dialog: d}, nil
	}
	x.asking.Go(func() {
		defer cancel()
		asking := speaker.OverHTTP(x.url(), x.Target.Dialect, 1, transport)
		defer asking.Close()
		answer := asking.Execute(c.tracing(ctx, d), command.Request)
		c.update(func() {
			if d.hungUp {
				answer = trial.Answer{HungUp: true}
			}
			if !d.done {
				d.answer, d.done = answer, true
			}
		})
	})
}

// tracing tells of a request that HTTP sends in parts: one with a large body is.
func (c *clients) tracing(ctx context.Context, d *dialog) context.Context {
	pending := func(yes bool) { c.update(func() { d.pending = yes }) }
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { pending(true) },
		WroteRequest: func(httptrace.WroteRequestInfo) { pending(false) },
	})
}

// metered is a connection that says what it does.
type metered struct {
	net.Conn
	clients *clients
	dialog  *dialog
	once    sync.Once
}

func (m *metered) Write(p []byte) (n int, err error) {
	n, err = m.Conn.Write(p)
	m.clients.update(func() {
		m.dialog.written = true
		m.clients.wrote += int64(n)
	})
	return n, err
}

func (m *metered) Read(p []byte) (n int, err error) {
	m.clients.update(func() { m.dialog.reading = true })
	n, err = m.Conn.Read(p)
	m.clients.update(func() {
		m.dialog.reading = false
		m.clients.read += int64(n)
	})
	if err != nil {
		m.over()
	}
	return n, err
}

func (m *metered) Close() error {
	err := m.Conn.Close()
	m.over()
	m.clients.update(func() { m.dialog.closed = true })
	return err
}

func (m *metered) over() {
	m.once.Do(func() { m.clients.update(func() { m.clients.ended++ }) })
}

// settle waits until everything has been read that the target has written since base.
func (c *clients) settle(ctx context.Context, base, now tracer.Rest) error {
	return c.until(ctx, await.Broken, "clients that have read all that was sent", func() string {
		return c.behind(base, now)
	})
}

// sent waits until the last request is in the target's queue, and returns how many bytes
// were put there in this run. Only then does a target that sleeps not mean to read it. One
// that takes a part of a large request, and sleeps before it takes more, has the queue full.
func (c *clients) sent(ctx context.Context) (bytes int64, err error) {
	d := c.dialogs[len(c.dialogs)-1]
	err = c.until(ctx, await.Broken, "a request that is sent", func() string {
		if !d.written && !d.done {
			return "it is not written"
		}
		return ""
	})
	_ = c.until(ctx, fullLimit, "a request that is sent to its end", func() string {
		if d.pending && !d.done {
			return "more of it is to come"
		}
		return ""
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wrote, err
}

// fullLimit is for how long a queue must be full for the target not to read from it now.
const fullLimit = time.Second

// until waits for the moment at which why, which is called with the lock, has nothing to
// say. It ends with ctx, as its requests do.
func (c *clients) until(ctx context.Context, limit time.Duration, what string, why func() string) error {
	limited, cancel := await.Limit(ctx, limit)
	defer cancel()
	for {
		c.mu.Lock()
		changed, last := c.changed, why()
		c.mu.Unlock()
		if last == "" {
			return nil
		}
		select {
		case <-changed:
		case <-limited.Done():
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fmt.Errorf("%s expected within %v, last saw that %s", what, limit, last)
		}
	}
}

func (c *clients) behind(base, now tracer.Rest) string {
	sent, closed := now.Sent-base.Sent, now.Closed-base.Closed
	switch {
	case c.read < sent && !c.abandoned(): // what is sent to nobody is never read
		return fmt.Sprintf("they have read %d bytes of %d", c.read, sent)
	case c.ended < closed:
		return fmt.Sprintf("%d of %d connections have ended", c.ended, closed)
	}
	for i, d := range c.dialogs {
		if !d.done && !d.reading {
			return fmt.Sprintf("client %d is at work", i+1)
		}
	}
	return ""
}

func (c *clients) abandoned() bool {
	return slices.ContainsFunc(c.dialogs, func(d *dialog) bool { return d.hungUp })
}

// waiting are the requests that have no answer yet, by number from 1.
func (c *clients) waiting() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	var numbers []int
	for i, d := range c.dialogs {
		if !d.done {
			numbers = append(numbers, i+1)
		}
	}
	return numbers
}

// hangUp closes the connection of a request that has no answer yet, and then wants
// none. It returns when the target could know.
func (c *clients) hangUp(ctx context.Context, number int) error {
	d := c.dialogs[number-1]
	c.update(func() {
		d.hungUp, d.command.Want.HangUp = true, true
		d.cancel()
	})
	return c.until(ctx, await.Broken, "a connection that is closed", func() string {
		if !d.closed {
			return "it is open"
		}
		return ""
	})
}

// giveUp ends the requests that have no answer, as hung.
func (c *clients) giveUp() {
	c.update(func() {
		for _, d := range c.dialogs {
			if !d.done {
				d.answer = trial.Answer{
					Hung:    true,
					Message: "no answer, and nothing left that could bring one",
				}
				d.done = true
			}
			d.cancel()
		}
	})
}
