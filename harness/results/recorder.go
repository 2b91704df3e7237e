package results

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// Recorder writes a recording line by line, each one as its trial ends, so
// that a killed run leaves what it saw. It may be used by many goroutines.
type Recorder struct {
	mu     sync.Mutex
	file   *os.File
	err    error
	checks int // written so far
}

// NewRecorder creates the recording at path, and its folder, and writes its first
// line, the plan.
func NewRecorder(path string, plan trial.Plan) (*Recorder, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make folder of recording: %w", err)
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create recording: %w", err)
	}
	r := &Recorder{file: file}
	r.Write(trial.Line{Plan: &plan})
	return r, r.Failed()
}

// End writes the last line. It adds how many checks stand before it.
func (r *Recorder) End(last trial.End) {
	r.mu.Lock()
	last.Checks = r.checks
	r.mu.Unlock()
	r.Write(trial.Line{End: &last})
}

// Write adds a line. It keeps the first error, which Failed returns.
func (r *Recorder) Write(line trial.Line) {
	raw, err := json.Marshal(line)
	if err != nil {
		raw = fmt.Appendf(nil, "%q", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if line.Check != nil {
		r.checks++
	}
	if r.err == nil {
		_, r.err = r.file.Write(append(raw, '\n'))
	}
}

// Failed returns the first error of writing; nil if there was none.
func (r *Recorder) Failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return fmt.Errorf("write recording: %w; free some space or choose another folder for the results", r.err)
	}
	return nil
}

// Close closes the file. It returns the first error of writing too.
func (r *Recorder) Close() error {
	if err := r.file.Close(); err != nil {
		return fmt.Errorf("close recording: %w", err)
	}
	return r.Failed()
}
