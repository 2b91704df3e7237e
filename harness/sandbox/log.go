package sandbox

import (
	"bytes"
	"fmt"
	"sync"
)

// LogLimit bounds what is kept of one target's log. A storm of 50,000 requests
// writes some 15 MB; its end is what a bad trial needs.
const LogLimit = 4 << 20

// LogTail keeps the last Limit bytes that were written to it. It is an
// io.Writer for any number of goroutines.
type LogTail struct {
	// Limit is in bytes.
	Limit int

	mu      sync.Mutex
	kept    []byte
	dropped int
}

func (l *LogTail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, p...)
	if len(l.kept) > 2*l.Limit { // seldom, so that a byte is moved once on average
		l.drop()
	}
	return len(p), nil
}

// drop cuts kept to the limit, at the start of a line where there is one.
func (l *LogTail) drop() {
	cut := len(l.kept) - l.Limit
	if cut <= 0 {
		return
	}
	if newline := bytes.IndexByte(l.kept[cut:], '\n'); newline >= 0 {
		cut += newline + 1
	}
	l.dropped += cut
	l.kept = append(l.kept[:0], l.kept[cut:]...)
}

// Bytes is a copy; its first line says so when the log's start is missing.
func (l *LogTail) Bytes() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
	if l.dropped == 0 {
		return bytes.Clone(l.kept)
	}
	return fmt.Appendf(nil, "[log cut: the first %d bytes are left out]\n%s", l.dropped, l.kept)
}

// lastLines is the end of a log, for an error text.
func lastLines(log []byte, n int) string {
	lines := bytes.Split(bytes.TrimRight(log, "\n"), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-n):], []byte("\n")))
}
