package probe

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
)

// Listener is where somebody in a network waits for connections: a TCP port, or the path
// of a Unix socket.
type Listener struct {
	Port   int    `json:"port,omitempty"`
	Socket string `json:"socket,omitempty"`
}

// String is the address, as reports name it.
func (l Listener) String() string {
	if l.Socket != "" {
		return "socket " + l.Socket
	}
	return fmt.Sprintf("port %d", l.Port)
}

// The state LISTEN of TCP sockets (include/net/tcp_states.h), and the flag
// __SO_ACCEPTCON of Unix sockets (include/uapi/linux/net.h).
const (
	tcpListens  = "0A"
	unixListens = 1 << 16
)

// Listening lists who listens in the network of a process of this machine, by ports and
// then by paths.
func Listening(pid int) ([]Listener, error) {
	sockets, err := listeningSockets(pid)
	if err != nil {
		return nil, err
	}
	var all []Listener
	for _, s := range sockets {
		if s.Socket == "" || strings.HasPrefix(s.Socket, "/") {
			all = append(all, s.Listener)
		}
	}
	slices.SortFunc(all, func(a, b Listener) int {
		return cmp.Or(cmp.Compare(a.Socket, b.Socket), a.Port-b.Port)
	})
	return slices.Compact(all), nil
}

// listening is one socket that listens.
type listening struct {
	Listener
	inode string
}

// listeningSockets are those that listen in the network of a process. With an error they are
// those that could be seen.
func listeningSockets(pid int) (all []listening, err error) {
	of, err := procfs.NewFS(fmt.Sprintf("/proc/%d", pid))
	if err != nil {
		return nil, fmt.Errorf("look who listens: %w", err)
	}
	for _, name := range []string{"tcp", "tcp6"} { // a kernel without IPv6 has no tcp6
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, name))
		all = append(all, tcpListeners(string(text))...)
	}
	sockets, err := of.NetUNIX()
	if err != nil {
		return all, fmt.Errorf("look who listens: %w", err)
	}
	for _, line := range sockets.Rows {
		if uint64(line.Flags)&unixListens != 0 && line.Path != "" {
			inode := strconv.FormatUint(line.Inode, 10)
			all = append(all, listening{Listener{Socket: line.Path}, inode})
		}
	}
	return all, nil
}

// tcpListeners reads /proc/net/tcp (proc_net_tcp in the kernel's Documentation/networking):
// the second column is the local address, and the fourth the state, both in hexadecimal; the
// tenth is the inode.
func tcpListeners(text string) (all []listening) {
	for line := range strings.Lines(text) {
		columns := strings.Fields(line)
		if len(columns) < 10 || columns[3] != tcpListens {
			continue
		}
		_, port, _ := strings.Cut(columns[1], ":")
		if n, err := strconv.ParseUint(port, 16, 16); err == nil {
			all = append(all, listening{Listener{Port: int(n)}, columns[9]})
		}
	}
	return all
}
