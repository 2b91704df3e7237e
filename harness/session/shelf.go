package session

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// shelf keeps sandboxes between the arms of one run. A container costs up to seconds,
// and an arm that asks for what another one had can go on in it: the same target, with
// the same environment, behind the same front, and nothing left in it but the target.
// The nil shelf keeps nothing.
type shelf struct {
	mu   sync.Mutex
	idle map[string][]used
}

// used is a sandbox and what lived in it at its start.
type used struct {
	sandbox.Sandbox
	processes int
}

// shares says whether the arm may go on in a sandbox that others have used. What an
// arm watches can be blunted by what others left in the target itself: a heap that has
// grown once, threads that the runtime keeps.
func (a Arm) shares() bool {
	return !a.Fresh && (a.Watch == nil || a.Used) && a.Refusal == ""
}

// key is equal for sandboxes that can stand in for each other.
func key(spec sandbox.Spec) string {
	front := slices.DeleteFunc(slices.Clone(spec.Front.Args),
		func(arg string) bool { return arg == spec.Name })
	return fmt.Sprintf("%q %q %q %v %d %q %q", spec.Binary, spec.Image, spec.Args, spec.Env,
		spec.Temp, spec.Front.Program, front)
}

// take returns a sandbox that fits; the zero used if there is none.
func (f *shelf) take(spec sandbox.Spec) used {
	if f == nil {
		return used{}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	fitting := f.idle[key(spec)]
	if len(fitting) == 0 {
		return used{}
	}
	last := fitting[len(fitting)-1]
	f.idle[key(spec)] = fitting[:len(fitting)-1]
	return last
}

// put keeps a sandbox, if nothing is left in it but what lived there at its start,
// and says whether it did. One whose target has ended is asked first: its PID may be another's by
// then, and that one would be taken for it.
func (f *shelf) put(ctx context.Context, spec sandbox.Spec, u used, limit time.Duration) bool {
	if f == nil || u.processes == 0 || sandbox.EndsWithin(ctx, u.Sandbox, 0) || !u.clean(ctx, limit) {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.idle[key(spec)] = append(f.idle[key(spec)], u)
	return true
}

// populate counts what lives in a sandbox; 0 where that cannot be seen.
func populate(sb sandbox.Sandbox) used {
	seen, err := probe.Look(sb.PID())
	if err != nil {
		return used{Sandbox: sb}
	}
	return used{Sandbox: sb, processes: len(seen)}
}

// clean looks until no process is left that was not there at the start: an orphan may
// be about to end. A target that lives on without one of its helpers is not as before.
func (u used) clean(ctx context.Context, limit time.Duration) bool {
	wait := await.Wait{For: "the target alone", Every: 5 * time.Millisecond, Limit: limit}
	return wait.Until(ctx, func() (any, bool, error) {
		seen, err := probe.Look(u.PID())
		if err == nil && len(seen) < u.processes {
			err = errMissing
		}
		return len(seen), len(seen) == u.processes && len(seen.Zombies()) == 0, err
	}) == nil
}

// worthWaiting is for how long a sandbox may be waited for until it is clean: a new one
// would be there by then.
func (s *Session) worthWaiting() time.Duration {
	return 2 * cmp.Or(s.Pace.Start, 500*time.Millisecond)
}

// errMissing means that what lived in a sandbox at its start does not any more.
var errMissing = errors.New("a process of the start has ended")

// clear stops all that is kept.
func (f *shelf) clear(ctx context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var stopping sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, fitting := range f.idle {
		for _, u := range fitting {
			stopping.Go(func() {
				ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), teardownLimit)
				defer cancel()
				err := u.Stop(ctx)
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			})
		}
	}
	stopping.Wait()
	f.idle = map[string][]used{}
	return errors.Join(errs...)
}
