package process

import (
	"context"
	"os"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"
)

// Read buffers begin small, since thousands of commands write nothing for a
// long time, and grow to a pipe's usual capacity.
const (
	firstBuffer = 512
	fullBuffer  = 64 << 10
)

// output reads a command's pipe to its end and keeps the first limit bytes.
// After take it goes on reading and keeps nothing, so that a process which
// outlives its command can write without being blocked or killed by SIGPIPE.
type output struct {
	pipe  *os.File
	limit int
	ended chan struct{}

	// mu is held from reading bytes until they are kept: two goroutines read.
	mu        sync.Mutex
	buffer    []byte
	data      []byte
	truncated bool
	taken     bool
}

func newOutput(pipe *os.File, limit int) *output {
	return &output{
		pipe:   pipe,
		limit:  limit,
		ended:  make(chan struct{}),
		buffer: make([]byte, firstBuffer),
	}
}

// read returns at the end of the output, or once ctx is done.
func (o *output) read(ctx context.Context) {
	defer close(o.ended)
	defer o.pipe.Close()
	stop := context.AfterFunc(ctx, func() { o.pipe.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	pipe, err := o.pipe.SyscallConn()
	if err != nil {
		return
	}
	for open := true; open && err == nil; {
		err = pipe.Read(func(fd uintptr) bool {
			var n int
			n, open = o.readOnce(fd)
			return n > 0 || !open
		})
	}
}

// readOnce reads what one call gives, 0 bytes if there is nothing yet, and says
// whether the pipe is still open.
func (o *output) readOnce(fd uintptr) (n int, open bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := syscall.Read(int(fd), o.buffer)
	for err == syscall.EINTR {
		n, err = syscall.Read(int(fd), o.buffer)
	}
	if err == syscall.EAGAIN {
		return 0, true
	}
	if n <= 0 {
		return 0, false
	}
	o.keep(o.buffer[:n])
	if n == len(o.buffer) && n < fullBuffer {
		o.buffer = make([]byte, fullBuffer)
	}
	return n, true
}

// keep is called with mu held.
func (o *output) keep(p []byte) {
	if o.taken {
		return
	}
	if room := o.limit - len(o.data); len(p) > room {
		p = p[:room]
		o.truncated = true
	}
	o.data = append(o.data, p...)
}

// drain reads what the pipe holds now, at most what a pipe usually can. A
// command that has ended has left there all that is still to be read of it,
// even if read has not been given a CPU since.
func (o *output) drain() {
	pipe, err := o.pipe.SyscallConn()
	if err != nil {
		return // read has closed the pipe, at its end
	}
	pipe.Control(func(fd uintptr) {
		for left, n, open := fullBuffer, 0, true; left > 0 && open; left -= n {
			if n, open = o.readOnce(fd); n == 0 {
				return
			}
		}
	})
}

// awaitEnd waits for the end of the output, at most for limit.
func (o *output) awaitEnd(limit time.Duration) {
	select {
	case <-o.ended:
		return
	default:
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-o.ended:
	case <-timer.C:
	}
}

// take returns what was written so far. What comes later is thrown away.
func (o *output) take() (data []byte, truncated bool) {
	o.drain()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.taken = true
	data, o.data = o.data, nil
	if o.truncated {
		data = wholeRunes(data)
	}
	return data, o.truncated
}

// wholeRunes drops a character that a cut has left incomplete, so that a cut
// does not turn valid UTF-8 into invalid.
func wholeRunes(p []byte) []byte {
	for i := len(p) - 1; i >= 0 && i >= len(p)-utf8.UTFMax; i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return p[:i]
			}
			break
		}
	}
	return p
}
