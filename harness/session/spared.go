package session

import (
	"context"
	"errors"

	"github.com/reapcheck/reapcheck/harness/explore"
	"github.com/reapcheck/reapcheck/harness/explore/search"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// mostSpared is beyond what the orders of one command are of a daemon that spares them:
// a lock around its waits leaves 51.
const mostSpared = 200

// Spared says in words that nothing but its waiter takes a command's status from the
// candidate; it is empty where something does, or may. Nobody can be made to come before such
// a waiter. The orders of one command show it, and never that nobody came by some time: a
// reaper may look once in a while. Where none can be tried, it is seen of a daemon that others
// wait beside.
func (s *Session) Spared(ctx context.Context) (why string, err error) {
	x := s.explorer(s.asCandidate("spared").asked(), s.Candidate)
	contested := false
	found, err := x.Explore(ctx, explore.Shape("instant", 1, 1), explore.Bounds{
		Delays: search.NoBound, Orders: mostSpared,
		StopAt: func(run explore.Run) bool { contested = !run.Spares(); return contested },
	}, nil)
	err = errors.Join(err, x.Close(context.WithoutCancel(ctx)))
	switch {
	case unexplored(err):
		return s.aside(ctx)
	case err != nil || contested || found.Delays < 1:
		return "", err
	}
	return "since nothing but its waiter takes a command's status (of one command, " +
		found.Tried() + ")", nil
}

// aside says in words why a process that takes requests contests nobody's command: it made
// no wait at all, or took no child but those that it waited for, and is not PID 1, to which
// the orphans fall. It is empty where it may.
func (s *Session) aside(ctx context.Context) (why string, err error) {
	return s.tryUnder(ctx, "aside", fault.Hold{Hub: s.Hub}, 3,
		func(sb sandbox.Sandbox, _ fault.Injection) string {
			supervisor, err := s.Hub.Supervisor(sb.Name())
			if err != nil {
				return ""
			}
			counts, err := supervisor.Counts()
			if err != nil {
				return ""
			}
			return asideIn(counts, sandbox.Daemon(sb) != sb.PID())
		})
}

func asideIn(counts seccomp.Counts, behindInit bool) string {
	switch {
	case counts.Foreign > 0 && counts.Own() == 0:
		return "since the process that takes requests waits for no child: another one does"
	case behindInit && counts.Waits > 0 && counts.Takes == 0:
		return "since the daemon behind the init takes no child but the one that it waits for"
	}
	return ""
}
