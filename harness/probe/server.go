package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Server returns the process that takes requests at a place in the sandbox of PID 1, which
// this host knows as pid: PID 1 itself, or, where it only starts the daemon and reaps, the
// first process that listens there. It is PID 1 where nobody is seen to listen.
func Server(pid int, at Listener) int {
	if children, err := Children(pid); err == nil && len(children) == 0 {
		return pid // whose daemon it is: it has started nobody
	}
	inodes := listeningAt(pid, at)
	if len(inodes) == 0 || holdsSocket(pid, inodes) {
		return pid
	}
	seen, err := Look(pid)
	if err != nil {
		return pid
	}
	for _, p := range seen {
		if !p.Zombie() && holdsSocket(p.PID, inodes) {
			return p.PID
		}
	}
	return pid
}

// listeningAt are the inodes of the sockets that listen at a place in a process's network.
func listeningAt(pid int, at Listener) map[string]bool {
	inodes := map[string]bool{}
	all, _ := listeningSockets(pid) // whoever cannot be seen does not listen
	for _, s := range all {
		if s.Listener == at {
			inodes[s.inode] = true
		}
	}
	return inodes
}

// holdsSocket says whether a process has one of these sockets open.
func holdsSocket(pid int, inodes map[string]bool) bool {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, file := range files {
		to, _ := os.Readlink(file)
		inode, isSocket := strings.CutPrefix(to, "socket:[")
		if isSocket && inodes[strings.TrimSuffix(inode, "]")] {
			return true
		}
	}
	return false
}
