package client

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"
)

// ignored is what a try comes to whose SYN was dropped.
func ignored(ctx context.Context) (net.Conn, error) {
	<-ctx.Done()
	return nil, &net.OpError{Op: "dial", Err: ctx.Err()}
}

// early is what net says when its own clock is before the context's.
func early(context.Context) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}
}

func full(context.Context) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Err: syscall.EAGAIN}
}

func refused(context.Context) (net.Conn, error) {
	return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
}

func connected(context.Context) (net.Conn, error) { return &net.TCPConn{}, nil }

// A client whom the target's queue has no place for comes again, soon and by itself.
func TestAFullQueueOfConnections(t *testing.T) {
	type answers []func(context.Context) (net.Conn, error)
	for _, c := range []struct {
		name  string
		tries answers
		want  error
	}{
		{"it ignores who comes, twice", answers{ignored, ignored, connected}, nil},
		{"it refuses who comes, twice", answers{full, full, connected}, nil},
		{"its time is up early", answers{early, connected}, nil},
		{"nobody listens", answers{refused}, syscall.ECONNREFUSED},
		{"nobody listens any more", answers{ignored, refused}, syscall.ECONNREFUSED},
	} {
		t.Run(c.name, func(t *testing.T) {
			tried := 0
			conn, err := dial(func(ctx context.Context, _, _ string) (net.Conn, error) {
				tried++
				return c.tries[tried-1](ctx)
			}).again(t.Context(), "tcp", "")
			if !errors.Is(err, c.want) || (conn == nil) != (c.want != nil) ||
				tried != len(c.tries) {
				t.Errorf("after %d tries of %d: %v, want %v", tried, len(c.tries), err, c.want)
			}
		})
	}
}

// Who never gets in has had no answer by the deadline.
func TestAQueueThatStaysFull(t *testing.T) {
	for name, ever := range map[string]func(context.Context) (net.Conn, error){
		"ignores": ignored, "refuses": full,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*firstTry)
		_, err := dial(func(ctx context.Context, _, _ string) (net.Conn, error) {
			return ever(ctx)
		}).again(ctx, "tcp", "")
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want that the deadline has passed", name, err)
		}
	}
}
