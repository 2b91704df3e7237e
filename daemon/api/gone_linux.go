package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Gone tells which clients have gone while their commands run. net/http reads
// ahead for that, and is wrong twice: it takes a client that has closed its
// sending side alone for one that has gone, and looks no further than a byte
// that comes after the request.
//
// The kernel is asked instead, for the end of what a client sends (EPOLLRDHUP)
// and of its connection (EPOLLHUP, epoll_ctl(2)). Open one for all connections,
// and Close it after the server.
type Gone struct {
	epoll *os.File
	conn  syscall.RawConn
	done  chan struct{}

	mu      sync.Mutex
	last    uint64
	watches map[uint64]*watch // by a number that is never used again
}

// watch is one request whose command runs.
type watch struct {
	conn syscall.RawConn
	// answers says that the client takes interim answers, words how many it got.
	answers bool
	words   int
	gone    func() // called once
}

type connKey struct{}

// ConnContext is for http.Server: it lets a request find its connection.
func (*Gone) ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// OpenGone begins to watch.
func OpenGone() (*Gone, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("watch clients: epoll_create1: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // for os.NewFile to wait without a thread
		unix.Close(fd)
		return nil, fmt.Errorf("watch clients: %w", err)
	}
	g := &Gone{epoll: os.NewFile(uintptr(fd), "epoll"), done: make(chan struct{}), watches: make(map[uint64]*watch)}
	if g.conn, err = g.epoll.SyscallConn(); err != nil {
		g.epoll.Close()
		return nil, fmt.Errorf("watch clients: %w", err)
	}
	go g.run()
	return g, nil
}

// Close ends the watch.
func (g *Gone) Close() {
	g.epoll.Close()
	<-g.done
}

// during returns a context for the command of a request: it ends when the client
// has gone. Call stop before the answer is written. Without a Gone, or where the
// connection cannot be watched, it is the request's own.
func (g *Gone) during(r *http.Request) (ctx context.Context, stop func()) {
	conn, ok := r.Context().Value(connKey{}).(syscall.Conn)
	if g == nil || !ok {
		return r.Context(), func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	number, err := g.add(conn, r.ProtoAtLeast(1, 1), cancel)
	if err != nil {
		cancel()
		return r.Context(), func() {}
	}
	return ctx, func() { g.remove(number); cancel() }
}

func (g *Gone) add(c syscall.Conn, answers bool, gone func()) (number uint64, err error) {
	conn, err := c.SyscallConn()
	if err != nil {
		return 0, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last++
	g.watches[g.last] = &watch{conn: conn, answers: answers, gone: gone}
	if err := g.control(conn, unix.EPOLL_CTL_ADD, g.last, unix.EPOLLRDHUP); err != nil {
		delete(g.watches, g.last)
		return 0, err
	}
	return g.last, nil
}

func (g *Gone) remove(number uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if w := g.watches[number]; w != nil {
		g.drop(number, w)
	}
}

// control says what is to be told of conn, in what is called events and data of
// struct epoll_event. EPOLLHUP and EPOLLERR always are.
func (g *Gone) control(conn syscall.RawConn, op int, number uint64, events uint32) error {
	event := unix.EpollEvent{Events: events, Fd: int32(number), Pad: int32(number >> 32)}
	var closed, refused error
	closedToo := conn.Control(func(fd uintptr) {
		closed = g.conn.Control(func(epoll uintptr) {
			refused = unix.EpollCtl(int(epoll), op, int(fd), &event)
		})
	})
	return errors.Join(closedToo, closed, refused)
}

func (g *Gone) run() {
	defer close(g.done)
	events := make([]unix.EpollEvent, 64)
	for {
		n := 0
		err := g.conn.Read(func(fd uintptr) bool {
			n, _ = unix.EpollWait(int(fd), events, 0)
			return n > 0
		})
		if err != nil {
			return
		}
		for _, e := range events[:n] {
			g.tell(uint64(uint32(e.Fd))|uint64(uint32(e.Pad))<<32, e.Events)
		}
	}
}

// tell takes in that a client sends no more. It has closed its connection, or
// that side alone.
func (g *Gone) tell(number uint64, events uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := g.watches[number]
	if w == nil {
		return
	}
	half := events&(unix.EPOLLHUP|unix.EPOLLERR) == 0
	if half && w.answers && g.control(w.conn, unix.EPOLL_CTL_MOD, number, 0) == nil {
		g.ask(number, w)
		return
	}
	g.drop(number, w)
	w.gone()
}

// drop is called with mu held.
func (g *Gone) drop(number uint64, w *watch) {
	delete(g.watches, number)
	g.control(w.conn, unix.EPOLL_CTL_DEL, 0, 0)
}

// A word that every HTTP/1.1 client must be able to skip (RFC 9110, 15.2) brings
// a reset from one that has closed it all, sooner or later: at once from one that
// had when it came, and at the next word from one that went afterwards. Go's
// client takes five such words.
const (
	mostWords = 5
	firstWait = time.Second // and four times as long each time
)

// ask is called with mu held.
func (g *Gone) ask(number uint64, w *watch) {
	w.say() // an error is told as EPOLLERR, too
	w.words++
	if w.words < mostWords {
		time.AfterFunc(firstWait<<(2*(w.words-1)), func() { g.askAgain(number) })
	}
}

func (g *Gone) askAgain(number uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if w := g.watches[number]; w != nil {
		g.ask(number, w)
	}
}

// say sends an interim answer. Nobody else writes: the answer comes after stop.
func (w *watch) say() {
	w.conn.Control(func(fd uintptr) {
		unix.Write(int(fd), []byte("HTTP/1.1 100 Continue\r\n\r\n"))
	})
}
