package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/reapcheck/reapcheck/harness/explore"
	"github.com/reapcheck/reapcheck/harness/explore/search"
	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// mostSpared is beyond what the orders of one command are of a daemon that spares them:
// a lock around its waits leaves 51. Of the orders of two commands that end together as many
// are tried as take a moment.
const (
	mostSpared    = 200
	mostSparedTwo = 40
)

// Uncontested is that nobody can be made to come before a candidate's waiters. The zero
// Uncontested says that somebody may.
type Uncontested struct {
	// Why says in words why that is so; empty where it is not.
	Why string
	// WaitsForNone says that the candidate's process makes no wait that could be held or late.
	WaitsForNone bool
}

// forks is why the one process that listens decides nothing: only a parent can wait for a child
// (wait(2)), and a command's is a copy of the target that serves one client.
const forks = "since it forks a process for each client, and that one alone waits for its command"

// Spared finds out whether nothing but its waiter takes a command's status from the
// candidate. Nobody can be made to come before such
// a waiter. The orders of one command show it, and of two that end together: who has one
// thread for all may come second to a command alone, and take a second one with it. It is never
// shown by that nobody came for some time: a reaper may look once in a while. Where no order
// can be tried, it is seen of a daemon that others wait beside.
func (s *Session) Spared(ctx context.Context) (Uncontested, error) {
	x := s.explorer(s.asCandidate("spared").asked(), s.Candidate)
	found, err := sparedBy(ctx, x)
	err = errors.Join(err, x.Close(context.WithoutCancel(ctx)))
	if unexplored(err) {
		return s.aside(ctx)
	}
	return found, err
}

func sparedBy(ctx context.Context, x *explore.Explorer) (found Uncontested, err error) {
	contested, threads, forked := false, 0, false
	explored := func(plan explore.Plan, most int) (explore.Found, error) {
		return x.Explore(ctx, plan, explore.Bounds{Delays: search.NoBound, Orders: most,
			StopAt: func(run explore.Run) bool {
				contested, threads = !run.Spares(), max(threads, run.Threads)
				forked = forked || run.Forked > 0
				return contested || forked
			}}, nil)
	}
	one, err := explored(explore.Shape("instant", 1, 1), mostSpared)
	if err == nil && forked {
		return Uncontested{Why: forks, WaitsForNone: true}, nil
	}
	if err != nil || contested || one.Delays < 1 {
		return alone(contested, threads), err
	}
	two, err := explored(explore.Shape("together", 2, 1), mostSparedTwo)
	if err != nil || contested {
		return alone(contested, threads), err
	}
	return Uncontested{Why: fmt.Sprintf("since nothing but its waiter takes a command's status "+
		"(of one command, %s; of two, %s)", one.Tried(), two.Tried())}, nil
}

// alone says in words why a reaper that takes others' commands cannot be made to come first by a
// hold: the thread that is held is its own. The scenario orders has these orders.
func alone(contested bool, threads int) Uncontested {
	if !contested || threads != 1 {
		return Uncontested{}
	}
	return Uncontested{Why: "since the one thread of the target waits and reaps: if it is held, " +
		"nobody else comes first"}
}

// aside finds out whether a process that takes requests contests nobody's command: it made
// no wait at all, or took no child but those that it waited for, and is not PID 1, to which
// the orphans fall.
func (s *Session) aside(ctx context.Context) (found Uncontested, err error) {
	_, err = s.tryUnder(ctx, "aside", fault.Hold{Hub: s.Hub}, 3,
		func(sb sandbox.Sandbox, _ fault.Injection) string {
			supervisor, err := s.Hub.Supervisor(sb.Name())
			if err != nil {
				return ""
			}
			counts, err := supervisor.Counts()
			if err != nil {
				return ""
			}
			found = asideIn(counts, sandbox.Daemon(sb) != sb.PID())
			return found.Why
		})
	return found, err
}

// asideIn is what calls show of that.
func asideIn(counts seccomp.Counts, behindInit bool) Uncontested {
	switch {
	case counts.Foreign > 0 && counts.Own() == 0:
		return Uncontested{Why: "since the process that listens waits for no child: others do, " +
			"such as workers or a zygote", WaitsForNone: true}
	case behindInit && counts.Waits > 0 && counts.Takes == 0:
		return Uncontested{
			Why: "since the daemon behind the init takes no child but the one that it waits for"}
	}
	return Uncontested{}
}
