// Package fault injects one thing at a time into a sandbox and counts how
// often it really hit. A fault that cannot be hosted declines in words, since
// a fault that silently does nothing would turn a broken daemon green.
package fault

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Fault is one thing that can be injected.
type Fault interface {
	// Name is what plans and reports call the fault, its parameters included.
	Name() string
	// Prepare changes how the sandbox will be started. It returns an error
	// that wraps ErrDeclined where the fault cannot be hosted.
	Prepare(spec *sandbox.Spec) error
	// Inject begins the injection in a target that is ready. Its error wraps
	// ErrDeclined where the sandbox cannot host the fault.
	Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error)
}

// Injection is a fault at work.
type Injection interface {
	// Hits is how often the fault has really hit since it was injected. The note
	// says what makes the count worth nothing; it is empty as a rule.
	Hits(ctx context.Context) (hits int64, note string, err error)
	// Undo ends the fault. Where it fails the target may still be under it.
	Undo(ctx context.Context) error
}

// PerTrial is an Injection that acts before each trial and sees what came of it,
// from as many goroutines as requests are in flight. What goes wrong in Before
// is kept for the note of Hits.
type PerTrial interface {
	Before(ctx context.Context)
	After(output string)
}

// Counting is an Injection whose hits can be told between two trials. Where it does
// not know of the last trial yet, Before of the next one waits until it does.
type Counting interface {
	SoFar(ctx context.Context) (hits int64, err error)
}

// Excusing is an Injection that may have been harder on the target than was meant, on a busy
// machine. Excuse says how, once the fault is over, and is empty as a rule. What a candidate has
// done right under it is right all the same.
type Excusing interface {
	Excuse() string
}

// ErrDeclined means that this sandbox cannot host the fault.
var ErrDeclined = errors.New("fault declined")

// count is what an injection has to tell of itself: how often it hit, and what went
// wrong, which voids the number.
type count struct {
	mu   sync.Mutex
	hits int64
	err  error
}

func (c *count) hit() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hits++
}

func (c *count) fail(err error) {
	if err == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = errors.Join(c.err, err)
}

func (c *count) Hits(context.Context) (hits int64, note string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		note = c.err.Error()
	}
	return c.hits, note, nil
}

func (c *count) SoFar(context.Context) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.hits, c.err
}

// dyingLimit is how long a target may take to die of what a fault does, and toldLimit how
// long its runtime may then take to say so: an engine on a busy machine needs over a second.
var (
	dyingLimit = 5 * time.Second
	toldLimit  = time.Minute
)

// unlessOver is what went wrong with a sandbox, or nil where it has ended: a target that dies
// under a fault is a finding, and no trouble of the fault's.
func unlessOver(ctx context.Context, sb sandbox.Sandbox, err error) error {
	if err == nil || over(ctx, sb) {
		return nil
	}
	return err
}

// over says whether a sandbox has ended, or need not be asked any more.
func over(ctx context.Context, sb sandbox.Sandbox) bool {
	if sandbox.EndsWithin(ctx, sb, dyingLimit) || ctx.Err() != nil {
		return true
	}
	stat, err := probe.StatOf(sb.PID())
	if !probe.Gone(err) && stat.State != 'Z' {
		return false
	}
	return sandbox.EndsWithin(ctx, sb, toldLimit) || ctx.Err() != nil
}
