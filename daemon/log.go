package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

const (
	// maxPendingLog is how much of the log waits in memory for a slow reader.
	maxPendingLog = 1 << 20
	// logPause is how long a line waits for others to come. Without it a busy
	// daemon writes, and wakes its reader, once for each line.
	logPause = 5 * time.Millisecond
	// logCloseLimit bounds the wait for that reader at the daemon's end.
	logCloseLimit = time.Second
)

// logWriter hands lines to a goroutine that writes them. A log that nobody
// reads, such as a full pipe, can then hold up neither the reaper nor a
// request; and lines that come together cost one system call.
type logWriter struct {
	out  io.Writer
	woke chan struct{}
	done chan struct{}

	mu      sync.Mutex
	pending []byte
	dropped int
	closed  bool
}

// newLogWriter starts the goroutine, which close ends.
func newLogWriter(out io.Writer) *logWriter {
	w := &logWriter{out: out, woke: make(chan struct{}, 1), done: make(chan struct{})}
	go w.run()
	return w
}

// Write keeps a copy of line, or drops it if too much is pending. It never
// fails.
func (w *logWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	if len(w.pending)+len(line) > maxPendingLog {
		w.dropped++
	} else {
		w.pending = append(w.pending, line...)
	}
	w.mu.Unlock()
	w.wake()
	return len(line), nil
}

func (w *logWriter) wake() {
	select {
	case w.woke <- struct{}{}:
	default:
	}
}

func (w *logWriter) run() {
	defer close(w.done)
	var lines []byte
	for range w.woke {
		time.Sleep(logPause)
		var dropped int
		var closed bool
		w.mu.Lock()
		lines, w.pending = w.pending, lines[:0]
		dropped, w.dropped = w.dropped, 0
		closed = w.closed
		w.mu.Unlock()
		if len(lines) > 0 {
			w.out.Write(lines)
		}
		if dropped > 0 {
			fmt.Fprintf(w.out,
				"level=WARN msg=\"log lines dropped, no one read them in time\" lines=%d\n",
				dropped)
		}
		if closed {
			return
		}
	}
}

// close writes what is pending, if that can be done in time.
func (w *logWriter) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.wake()
	select {
	case <-w.done:
	case <-time.After(logCloseLimit):
	}
}
