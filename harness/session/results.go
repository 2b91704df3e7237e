package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// NewFolder makes the result folder of one run, parent/<UTC time>-<id>. A run
// that began in the same second has its own.
func NewFolder(parent, id string, now time.Time) (string, error) {
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return "", fmt.Errorf("make result folder: %w", err)
	}
	first := now.UTC().Format("20060102T150405Z") + "-" + id
	dir := filepath.Join(parent, first)
	err := os.Mkdir(dir, 0o755)
	for n := 2; errors.Is(err, fs.ErrExist) && n < 1000; n++ {
		dir = filepath.Join(parent, fmt.Sprintf("%s-%d", first, n))
		err = os.Mkdir(dir, 0o755)
	}
	if err != nil {
		return "", fmt.Errorf("make result folder: %w", err)
	}
	return dir, nil
}

// PointLatest makes latest, beside the folder of a run, point at it.
func PointLatest(folder string) error {
	latest := filepath.Join(filepath.Dir(folder), "latest")
	next := filepath.Join(folder, ".latest")
	err := os.Symlink(filepath.Base(folder), next)
	if err == nil {
		err = os.Rename(next, latest)
	}
	if err != nil {
		return fmt.Errorf("point %s at the result folder: %w", latest, err)
	}
	return nil
}

// runID names the run, in each of its recordings.
func (s *Session) runID() string { return filepath.Base(s.Folder) }

// recorder writes a recording line by line, each one as its trial ends, so
// that a killed run leaves what it saw. It may be used by many goroutines.
type recorder struct {
	mu     sync.Mutex
	file   *os.File
	err    error
	checks int // written so far
}

func newRecorder(path string, plan trial.Plan) (*recorder, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("make folder of recording: %w", err)
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("create recording: %w", err)
	}
	r := &recorder{file: file}
	r.write(trial.Line{Plan: &plan})
	return r, r.failed()
}

// end writes the last line.
func (r *recorder) end(last trial.End) {
	r.mu.Lock()
	last.Checks = r.checks
	r.mu.Unlock()
	r.write(trial.Line{End: &last})
}

// write keeps the first error; failed reports it.
func (r *recorder) write(line trial.Line) {
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

func (r *recorder) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return fmt.Errorf("write recording: %w; free some space or choose another --results", r.err)
	}
	return nil
}

func (r *recorder) close() error {
	if err := r.file.Close(); err != nil {
		return fmt.Errorf("close recording: %w", err)
	}
	return r.failed()
}
