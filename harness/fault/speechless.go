package fault

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Speechless has clients connect that say nothing, as a health check of a port does, a
// browser that connects ahead of its request, and a client whose network has gone. They
// stay until Undo.
//
// A hit is such a client.
type Speechless struct {
	Clients int
	// Begins has every second one write the first line of a request over HTTP, and no
	// more.
	Begins bool
}

// Name says what happens.
func (s Speechless) Name() string { return fmt.Sprintf("%d clients that say nothing", s.Clients) }

// Prepare asks for nothing: the sandbox is asked when there is one.
func (Speechless) Prepare(*sandbox.Spec) error { return nil }

// Inject declines where no connection is to be had.
func (s Speechless) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	held := make(silent, 0, s.Clients)
	for i := range s.Clients {
		conn, err := dial(ctx, sb)
		if err == nil {
			held = append(held, conn)
			err = s.begin(conn, i)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: client %d: %w", ErrDeclined, i, errors.Join(err, held.Undo(ctx)))
		}
	}
	return held, nil
}

func (s Speechless) begin(conn net.Conn, index int) error {
	if !s.Begins || index%2 == 0 {
		return nil
	}
	_, err := conn.Write([]byte("GET / HTTP/1.1\r\n"))
	return err
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
