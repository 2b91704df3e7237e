package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestLogWriterKeepsOrderAndLosesNothing(t *testing.T) {
	var out, want bytes.Buffer
	w := newLogWriter(&out)
	for i := range 1000 {
		fmt.Fprintln(w, i)
		fmt.Fprintln(&want, i)
	}
	end(t, w)
	if out.String() != want.String() {
		t.Errorf("%d bytes written, want %d", out.Len(), want.Len())
	}
}

// patience is how long a test waits for what must come: far longer than a
// machine takes that is ten times slower than ours, and busy with other work.
const patience = time.Minute

// end closes a writer and waits for it longer than close does: a busy machine may
// need that.
func end(t *testing.T, w *logWriter) {
	t.Helper()
	w.close()
	select {
	case <-w.done:
	case <-time.After(patience):
		t.Fatalf("end of the writer expected within %v", patience)
	}
}

// stuckWriter blocks until it is released.
type stuckWriter struct {
	release chan struct{}
	out     bytes.Buffer
}

func (w *stuckWriter) Write(p []byte) (int, error) {
	<-w.release
	return w.out.Write(p)
}

func TestLogWriterDropsWhatNobodyReads(t *testing.T) {
	stuck := &stuckWriter{release: make(chan struct{})}
	w := newLogWriter(stuck)
	line := []byte(strings.Repeat("x", 1023) + "\n")
	const lines = 3 * maxPendingLog / 1024
	for range lines {
		w.Write(line) // must not block
	}
	close(stuck.release)
	end(t, w)
	var dropped int
	written := strings.Count(stuck.out.String(), "x\n")
	last := stuck.out.String()[strings.LastIndex(stuck.out.String(), "level="):]
	if _, err := fmt.Sscanf(last[strings.Index(last, "lines="):], "lines=%d", &dropped); err != nil || dropped+written != lines || dropped == 0 {
		t.Errorf("%d written and %d dropped of %d, error %v", written, dropped, lines, err)
	}
}

// BenchmarkLogLine is what the log costs a reaper for each child.
func BenchmarkLogLine(b *testing.B) {
	w := newLogWriter(io.Discard)
	defer w.close()
	log := slog.New(slog.NewTextHandler(w, nil))
	for b.Loop() {
		log.LogAttrs(b.Context(), slog.LevelInfo, "reaped managed process", slog.Int("pid", 12345), slog.Int("status", 0))
	}
}
