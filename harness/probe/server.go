package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Server returns the process that takes requests at a place in the sandbox of PID 1, which
// this host knows as pid: PID 1 itself, or, where it only starts the daemon and reaps, the
// first process that listens there. It is PID 1 where nobody is seen to listen.
func Server(pid int, at Listener) int {
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
	if at.Socket != "" {
		// Num RefCount Protocol Flags Type St Inode Path (net/unix/af_unix.c)
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/unix", pid))
		for line := range strings.Lines(string(text)) {
			columns := strings.Fields(line)
			if len(columns) > 7 && columns[7] == at.Socket && listens(columns[3]) {
				inodes[columns[6]] = true
			}
		}
		return inodes
	}
	for _, name := range []string{"tcp", "tcp6"} {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, name))
		for line := range strings.Lines(string(text)) {
			const inode = 9
			columns := strings.Fields(line)
			if len(columns) > inode && len(tcpListeners(line)) > 0 &&
				tcpListeners(line)[0].Port == at.Port {
				inodes[columns[inode]] = true
			}
		}
	}
	return inodes
}

func listens(flags string) bool {
	n, err := strconv.ParseUint(flags, 16, 32)
	return err == nil && n&unixListens != 0
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
