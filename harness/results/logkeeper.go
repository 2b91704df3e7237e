package results

import (
	"bytes"
	"fmt"
	"os"
	"sync"
)

// LogKeeper saves what the target said around an arm's first bad trials. It
// may be used by many goroutines.
type LogKeeper struct {
	mu   sync.Mutex
	kept []keptLog
}

type keptLog struct {
	path string
	last []byte // the end of what was saved, to find the place again
	done bool
}

const (
	logsPerArm = 3
	logBefore  = 48 << 10 // of the log before the answer
	logAfter   = 16 << 10 // and after it
	logMark    = 512
)

// Keep saves the log as it is when a bad answer comes in, unless enough have
// been saved before.
func (k *LogKeeper) Keep(path string, read func() []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.kept) == logsPerArm {
		return nil
	}
	log := read()
	log = log[max(0, len(log)-logBefore):]
	k.kept = append(k.kept, keptLog{path: path, last: bytes.Clone(log[max(0, len(log)-logMark):])})
	if err := os.WriteFile(path, log, 0o644); err != nil {
		return fmt.Errorf("save log: %w", err)
	}
	return nil
}

// Extend adds what the target said after the bad answers: a reaper that comes
// late speaks late. A place that the log no longer holds is left as it is.
func (k *LogKeeper) Extend(read func() []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i := range k.kept {
		if kept := &k.kept[i]; !kept.done {
			kept.done = true
			if err := kept.extend(read()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *keptLog) extend(log []byte) error {
	at := bytes.LastIndex(log, k.last)
	switch {
	case len(log) == 0: // a target that says nothing, or whose log cannot be seen
		return os.Remove(k.path)
	case len(k.last) == 0: // it has begun to speak since
		at = 0
	case at < 0:
		return nil
	}
	after := log[at+len(k.last):]
	file, err := os.OpenFile(k.path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("extend log: %w", err)
	}
	defer file.Close()
	if _, err := file.Write(after[:min(len(after), logAfter)]); err != nil {
		return fmt.Errorf("extend log: %w", err)
	}
	return nil
}
