// Package fault injects one thing at a time into a sandbox and counts how
// often it really hit. A fault that cannot be hosted declines in words, since
// a fault that silently does nothing would turn a broken daemon green.
package fault

import (
	"context"
	"errors"

	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Fault is one thing that can be injected.
type Fault interface {
	// Name is what plans and reports call the fault, its parameters included.
	Name() string
	// Prepare changes how the sandbox will be started. It returns an error
	// that wraps ErrDeclined where the fault cannot be hosted.
	Prepare(spec *sandbox.Spec) error
	// Arm begins the injection in a target that is ready.
	Arm(ctx context.Context, sb sandbox.Sandbox) (Armed, error)
}

// Armed is a fault at work.
type Armed interface {
	// Hits is how often the fault has really hit since it was armed. The note
	// says what makes the count worth nothing; it is empty as a rule.
	Hits(ctx context.Context) (hits int64, note string, err error)
	// Disarm undoes the fault. Where it fails the target may still be under it.
	Disarm(ctx context.Context) error
}

// Steering is an Armed that acts before each trial and sees what came of it,
// from as many goroutines as requests are in flight. What goes wrong in Before
// is kept for the note of Hits.
type Steering interface {
	Before(ctx context.Context)
	After(output string)
}

// Counting is an Armed whose hits can be told between two trials. Where it does not
// know of the last trial yet, Before of the next one waits until it does.
type Counting interface {
	SoFar(ctx context.Context) (hits int64, err error)
}

// ErrDeclined means that this sandbox cannot host the fault.
var ErrDeclined = errors.New("fault declined")
