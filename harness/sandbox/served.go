package sandbox

import "github.com/reapcheck/reapcheck/harness/probe"

// Served is what a sandbox embeds that tells which of its processes takes requests.
type Served struct{ pid int }

// Daemon is that process as this host sees it; 0 where it was not looked for.
func (s *Served) Daemon() int { return s.pid }

func (s *Served) serve(pid int) { s.pid = pid }

// Daemon is the process of a sandbox that takes requests, as this host sees it: PID 1, or
// the one that listens behind an init such as tini. What is held, limited or counted of a
// target is that process's.
func Daemon(sb Sandbox) int {
	if served, ok := sb.(interface{ Daemon() int }); ok && served.Daemon() != 0 {
		return served.Daemon()
	}
	return sb.PID()
}

// noteDaemon looks for the daemon of a sandbox that is ready.
func noteDaemon(sb Sandbox, spec Spec) {
	served, ok := sb.(interface{ serve(pid int) })
	if !ok || sb.PID() == 0 || spec.Port == 0 && spec.Socket == "" {
		return
	}
	served.serve(probe.Server(sb.PID(), probe.Listener{Port: spec.Port, Socket: spec.Socket}))
}
