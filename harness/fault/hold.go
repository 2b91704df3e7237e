package fault

import (
	"context"
	"fmt"
	"strings"

	"github.com/reapcheck/reapcheck/harness/fault/seccomp"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Hold decides who gets a child first, in any binary, by holding its wait4 and
// waitid calls.
type Hold struct {
	// Hub is the run's; without one the fault declines.
	Hub    *seccomp.Hub
	Policy seccomp.Policy
}

// Name is the policy's.
func (h Hold) Name() string { return "hold " + h.Policy.String() }

// Prepare puts the launcher in front of the target.
func (h Hold) Prepare(spec *sandbox.Spec) error {
	if h.Hub == nil {
		return fmt.Errorf("%w: there is no launcher to put in front of the target", ErrDeclined)
	}
	if spec.Front.Program == "" {
		spec.Front = h.Hub.Front(spec.Name)
	}
	return nil
}

// Inject sets the policy: until then every call was let go.
func (h Hold) Inject(_ context.Context, sb sandbox.Sandbox) (Injection, error) {
	supervisor, err := h.Hub.Supervisor(sb.Name())
	if err != nil {
		return nil, fmt.Errorf("%w: hold system calls: %w", ErrDeclined, err)
	}
	if err := supervisor.Of(sandbox.Daemon(sb)); err != nil {
		return nil, fmt.Errorf("%w: hold system calls: %w", ErrDeclined, err)
	}
	supervisor.Set(h.Policy)
	return &holding{Supervisor: supervisor, rule: h.Policy.Rule}, nil
}

type holding struct {
	*seccomp.Supervisor
	rule        seccomp.Rule
	interrupted bool // as it was when the fault was undone
}

func (h *holding) Hits(context.Context) (int64, string, error) {
	counts, err := h.Counts()
	hits := counts.Hits(h.rule)
	if hits == 0 && err == nil && counts.Own() == 0 {
		err = fmt.Errorf(
			"%w: no wait4 or waitid of the target was seen at all: "+
				"it may wait by io_uring (IORING_OP_WAITID), or have another process wait",
			ErrDeclined)
	}
	if hits == 0 && err == nil && h.OwnFilter() {
		err = fmt.Errorf(
			"%w: the target has installed a seccomp filter of its own, "+
				"which may keep its calls from being seen", ErrDeclined)
	}
	return hits, troubles(h.rule, counts), err
}

// troubles are what keeps the fault from having proved anything; empty for nothing.
func troubles(rule seccomp.Rule, counts seccomp.Counts) string {
	var notes []string
	if counts.LimitHits > 0 {
		note := fmt.Sprintf("%d held calls were let go at their limit: "+
			"no other call reaped the child",
			counts.LimitHits)
		if rule == seccomp.ReaperWins && counts.Takes == 0 {
			note += ", and none that takes any child was seen. A reaper that leaves the children " +
				"of waiters alone cannot be made to win: leave the scenario out then"
		}
		notes = append(notes, note)
	}
	if counts.Unseen > 0 {
		notes = append(notes,
			fmt.Sprintf("of %d calls it could not be told which child they are about: %s",
				counts.Unseen, counts.Why))
	}
	return strings.Join(notes, "; ")
}

// Undo lets every call go from now on, and counts anew.
func (h *holding) Undo(context.Context) error {
	h.interrupted = h.Interrupts()
	h.Set(seccomp.Policy{})
	return nil
}

// Excuse says that the target may have been told what the kernel alone never says. An
// interrupted call that is restarted, as in Go, has no such effect.
func (h *holding) Excuse() string {
	if !h.interrupted {
		return ""
	}
	return "waits that do not block may have failed with EINTR: the target's handler of SIGCHLD " +
		"is without SA_RESTART, and while reapcheck is asked about a call, a signal can interrupt it. " +
		"Without reapcheck such a wait is never interrupted, so nothing wrong is proved here"
}
