package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"time"
)

type dial func(ctx context.Context, network, address string) (net.Conn, error)

// A try to connect is given up, and followed by another, after firstTry; each further one
// may take twice as long, up to lastTry.
const (
	firstTry = time.Second // the kernel's own; what is in time is never given up
	lastTry  = 4 * time.Second
)

// again tries to connect until it succeeds or ctx ends. Where the target's queue of
// connections is full (listen(2)) the kernel drops who comes and has him come again after
// 1, 3, 7, 15 and 31 s (tcp_syn_retries in tcp(7)). Those who came together come again
// together, and no more of them get in than the queue has places: of 150 clients before a
// queue of 5 the last had waited for more than a minute. A Unix socket refuses him
// (EAGAIN in connect(2)). Nothing has been asked by then, so nothing is asked twice.
func (d dial) again(ctx context.Context, network, address string) (net.Conn, error) {
	for limit := firstTry; ; limit = min(2*limit, lastTry) {
		spread := limit/2 + rand.N(limit/2) // not all at the same moment again
		try, cancel := context.WithTimeout(ctx, spread)
		conn, err := d(try, network, address)
		if !timedOut(err) {
			cancel()
			return conn, err
		}
		<-try.Done() // a Unix socket has refused at once, and net's own clock may be early
		cancel()
		if ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), err)
		}
	}
}

// timedOut is true for EAGAIN too (syscall.Errno.Timeout).
func timedOut(err error) bool {
	var late net.Error
	return errors.As(err, &late) && late.Timeout()
}
