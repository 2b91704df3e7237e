package fault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Speechless has clients connect that say nothing, as a health check of a port does, a
// browser that connects ahead of its request, and a client whose network has gone. They
// stay until Undo.
//
// A hit is such a client, or one that stops in the middle of something else.
type Speechless struct {
	Clients int
	// Begins has every second one write the first line of a request over HTTP, and no
	// more.
	Begins bool
	// Asks is a request as it is written, whose answer is larger than what the kernel
	// takes of it (tcp(7), tcp_wmem). One client more sends it and does not read the answer,
	// and so many as Halves keep its last byte back. Nil for none of them.
	Asks   []byte
	Halves int
	// Broken is how many more go in the middle of Asks, one after the other, before all others
	// come.
	Broken int
	// Stay has them stay until the target has ended, and not only until Undo: where it
	// waits for them to go, they do not help it.
	Stay bool
}

// Name says what happens.
func (s Speechless) Name() string {
	if s.Asks != nil {
		return fmt.Sprintf("%d clients that say nothing, or half of it, or do not listen",
			s.Clients+s.Halves+s.Broken+1)
	}
	return fmt.Sprintf("%d clients that say nothing", s.Clients)
}

// Prepare asks for nothing: the sandbox is asked when there is one.
func (Speechless) Prepare(*sandbox.Spec) error { return nil }

// Inject declines where no connection is to be had.
func (s Speechless) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	if s.Asks != nil {
		if err := s.breakOff(ctx, sb); err != nil {
			return nil, err
		}
	}
	all := make([]func(net.Conn) error, s.Clients, s.Clients+s.Halves+1)
	for i := range all {
		all[i] = s.says(i)
	}
	if s.Asks != nil {
		for range s.Halves {
			all = append(all, write(s.Asks[:len(s.Asks)-1]))
		}
		all = append(all, s.deaf)
	}
	held, err := connect(ctx, sb, all)
	if err != nil || !s.Stay {
		return held, err
	}
	return staying{held, sb}, nil
}

// breakOff has the clients come and go that go in the middle.
func (s Speechless) breakOff(ctx context.Context, sb sandbox.Sandbox) error {
	for range s.Broken {
		one, err := connect(ctx, sb, []func(net.Conn) error{write(s.Asks[:len(s.Asks)-1])})
		if err != nil {
			return err
		}
		if err := one.Undo(ctx); err != nil {
			return err
		}
	}
	return nil
}

// staying are clients that go with the sandbox.
type staying struct {
	Injection
	sandbox sandbox.Sandbox
}

func (s staying) Undo(ctx context.Context) error {
	go func() { // it ends with the sandbox, which its arm stops
		<-s.sandbox.Done()
		_ = s.Injection.Undo(context.WithoutCancel(ctx))
	}()
	return nil
}

// connect has a client connect for each of those beginnings, and say what it is.
func connect(ctx context.Context, sb sandbox.Sandbox, all []func(net.Conn) error) (Injection,
	error) {
	held := make(silent, 0, len(all))
	for i, begin := range all {
		conn, err := dial(ctx, sb)
		if err == nil {
			held = append(held, conn)
			err = begin(conn)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: client %d: %w", ErrDeclined, i,
				errors.Join(err, held.Undo(ctx)))
		}
	}
	return held, nil
}

// says is what a client says that asks for nothing.
func (s Speechless) says(index int) func(net.Conn) error {
	if !s.Begins || index%2 == 0 {
		return nothing
	}
	return write([]byte("GET / HTTP/1.1\r\n"))
}

func nothing(net.Conn) error { return nil }

func write(text []byte) func(net.Conn) error {
	return func(conn net.Conn) error {
		_, err := conn.Write(text)
		return err
	}
}

const (
	// unreadLimit is for the first byte of the answer that is not read: whoever asks after
	// it meets a target that answers. A target that is late is met earlier.
	unreadLimit = 5 * time.Second
	// deafBuffer is what such a client takes all the same.
	deafBuffer = 4 << 10
)

// deaf asks, and reads no more of the answer than that it has begun.
func (s Speechless) deaf(conn net.Conn) error {
	if small, ok := conn.(interface{ SetReadBuffer(int) error }); ok {
		_ = small.SetReadBuffer(deafBuffer)
	}
	if _, err := conn.Write(s.Asks); err != nil {
		return err
	}
	if err := conn.SetReadDeadline(time.Now().Add(unreadLimit)); err != nil {
		return err
	}
	_, _ = conn.Read(make([]byte, 1))
	return nil
}

type silent []net.Conn

func (c silent) Hits(context.Context) (int64, string, error) { return int64(len(c)), "", nil }

// Undo lets them all go. One that the target has let go already is gone as well.
func (c silent) Undo(context.Context) error {
	for _, conn := range c {
		_ = conn.Close()
	}
	return nil
}

// Crowd has clients connect and say nothing until the numbers of the target's files have
// passed FD_SETSIZE. A target whose limit on open files forbids such numbers is left half
// of them.
//
// A hit is such a client.
type Crowd struct{}

// crowded is more than select(2) can tell of.
const crowded = unix.FD_SETSIZE + 16

// Name says what happens.
func (Crowd) Name() string { return fmt.Sprintf("a crowd of %d clients", crowded) }

// Prepare asks for nothing: the sandbox is asked when there is one.
func (Crowd) Prepare(*sandbox.Spec) error { return nil }

// Inject declines where there is no room for the crowd outside of the target.
func (Crowd) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	var limit unix.Rlimit
	if sb.PID() == 0 {
		return nil, fmt.Errorf("%w: the target's process cannot be seen", ErrDeclined)
	}
	if err := unix.Prlimit(sandbox.Daemon(sb), unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		return nil, fmt.Errorf("%w: ask for the target's limit on open files: %w", ErrDeclined, err)
	}
	clients := int(min(crowded, limit.Cur/2))
	return connect(ctx, sb, slices.Repeat([]func(net.Conn) error{nothing}, clients))
}
