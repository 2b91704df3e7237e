// Package await looks for something again and again until it is so.
//
// Until is the front door. A wait that passes its limit says what was expected,
// within what time, and what was seen last.
package await

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Wait is what is waited for, and how. For, Every and Limit must be set.
type Wait struct {
	// For says in words what is expected, such as "0 running processes".
	For string
	// Every is how long to pause between two looks.
	Every time.Duration
	// Slowest lets the pauses grow with the wait, to an eighth of it and at most to
	// Slowest, so that an answer comes late by no more than that. Zero keeps them at
	// Every.
	Slowest time.Duration
	// Limit is by the clock of the context that Until gets.
	Limit time.Duration
	// Over ends the wait with ErrOver once it is closed; nil never does.
	Over <-chan struct{}
}

// Broken is the Limit of a wait that ends within milliseconds wherever things work, on
// a machine at a twentieth of a CPU too: only what is broken meets it.
const Broken = time.Minute

// Look looks once. It says whether it is so, and if not, in words or as a number,
// what it saw instead. Its error ends the wait.
type Look func() (seen any, ok bool, err error)

var (
	// ErrLimit means that the limit was passed.
	ErrLimit = errors.New("within its limit")
	// ErrOver means that Wait.Over was closed.
	ErrOver = errors.New("over")
)

// late is ErrLimit in words.
type late struct{ text string }

func (l late) Error() string        { return l.text }
func (l late) Is(target error) bool { return target == ErrLimit }

// Until looks at once, and then again after each pause, until it is so. It returns
// the error of a look, an error that is ErrLimit, ErrOver, or the cause of ctx's end.
func (w Wait) Until(ctx context.Context, look Look) error {
	limit, cancel := Limit(context.WithoutCancel(ctx), w.Limit)
	defer cancel()
	began := time.Now()
	for {
		seen, ok, err := look()
		if ok || err != nil {
			return err
		}
		select {
		case <-time.After(w.pause(time.Since(began))):
		case <-limit.Done():
			return late{fmt.Sprintf("%s expected within %v, last saw %v", w.For, w.Limit, seen)}
		case <-w.Over:
			return ErrOver
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w, last saw %v", w.For, context.Cause(ctx), seen)
		}
	}
}

func (w Wait) pause(waited time.Duration) time.Duration {
	return max(w.Every, min(waited/8, w.Slowest))
}
