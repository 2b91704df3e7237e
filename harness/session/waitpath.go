package session

import (
	"fmt"

	"github.com/reapcheck/reapcheck/harness/fault"
	"github.com/reapcheck/reapcheck/harness/launcher"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// WaitPath is how a target's language waits for a child, where that depends on
// what the kernel offers. The zero WaitPath is Pidfd.
type WaitPath string

const (
	// Pidfd is the way of a kernel with pidfds, Linux 5.4 or newer.
	Pidfd WaitPath = "pidfd"
	// Fallback is the way without: pidfd_open fails, as in many sandboxes.
	Fallback WaitPath = "fallback"
)

// ParseWaitPath reads a path's name.
func ParseWaitPath(name string) (WaitPath, error) {
	switch p := WaitPath(name); p {
	case Pidfd, Fallback:
		return p, nil
	}
	return "", fmt.Errorf("unknown wait path %q: choose pidfd or fallback", name)
}

// layPath prepares a sandbox for the session's wait path.
func (s *Session) layPath(spec *sandbox.Spec) error {
	if s.WaitPath != Fallback {
		return nil
	}
	if s.Hub == nil {
		return fmt.Errorf("%w: there is no launcher to take the target's pidfds away",
			fault.ErrDeclined)
	}
	spec.Front = s.Hub.Front(spec.Name, launcher.NoPidfd)
	return nil
}

// checkPath makes sure that the target has waited as the session wants it to.
func (s *Session) checkPath(sb sandbox.Sandbox) error {
	if s.WaitPath != Fallback {
		return nil
	}
	supervisor, err := s.Hub.Supervisor(sb.Name())
	if err != nil {
		return fmt.Errorf("%w: take pidfds away: %w", fault.ErrDeclined, err)
	}
	counts, err := supervisor.Counts()
	if err == nil && counts.ByPidfd > 0 {
		err = fmt.Errorf("%w: the target waits by pidfd though pidfd_open fails", fault.ErrDeclined)
	}
	return err
}
