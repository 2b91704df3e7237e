package session

import (
	"context"
	"errors"

	"github.com/reapcheck/reapcheck/harness/fault"
)

// Told says in words why nobody can tell the candidate late that its command has begun:
// no pipe tells it, since it waits for none or starts commands by vfork(2). It is empty
// where a pipe does, or may.
func (s *Session) Told(ctx context.Context) (why string, err error) {
	a := s.asCandidate("told")
	a.Fault = fault.LateReturn{Call: fault.Read}
	spec, err := a.prepared(1)
	if err != nil {
		return "", unlessDeclined(err)
	}
	sb, err := a.launch(ctx, spec)
	if err != nil {
		return "", nil // what keeps it from starting is for the trials to say
	}
	defer func() { err = errors.Join(err, sb.Stop(context.WithoutCancel(ctx))) }()
	injected, err := a.Fault.Inject(ctx, sb)
	if err != nil {
		return "", unlessDeclined(err)
	}
	_, right, err := a.runsKnown(ctx, sb)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	hits, note, _ := injected.Hits(ctx)
	if err != nil || !right || hits > 0 || note != "" { // what it does wrong is for them too
		return "", nil
	}
	return "since no pipe tells the target that a command has begun, so nobody can tell it late", nil
}
