//go:build !linux

package api

import (
	"context"
	"net"
	"net/http"
)

// Gone leaves it to net/http to tell which clients have gone.
type Gone struct{}

// OpenGone has nothing to open.
func OpenGone() (*Gone, error) { return &Gone{}, nil }

// Close has nothing to close.
func (*Gone) Close() {}

// ConnContext adds nothing.
func (*Gone) ConnContext(ctx context.Context, _ net.Conn) context.Context { return ctx }

func (*Gone) during(r *http.Request) (ctx context.Context, stop func()) {
	return r.Context(), func() {}
}
