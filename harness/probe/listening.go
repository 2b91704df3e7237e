package probe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/procfs"
)

// Listener is where somebody in a network waits for connections: a TCP port, or the path
// of a Unix socket.
type Listener struct {
	Port   int    `json:"port,omitempty"`
	Socket string `json:"socket,omitempty"`
}

func (l Listener) String() string {
	if l.Socket != "" {
		return "socket " + l.Socket
	}
	return fmt.Sprintf("port %d", l.Port)
}

// The state LISTEN of TCP sockets (include/net/tcp_states.h), and the flag
// __SO_ACCEPTCON of Unix sockets (include/uapi/linux/net.h).
const (
	tcpListens  = 0x0a
	unixListens = 1 << 16
)

// Listening lists who listens in the network of a process of this machine, by ports and
// then by paths.
func Listening(pid int) ([]Listener, error) {
	of, err := procfs.NewFS(fmt.Sprintf("/proc/%d", pid))
	if err != nil {
		return nil, fmt.Errorf("look who listens: %w", err)
	}
	var all []Listener
	for _, read := range []func() (procfs.NetTCP, error){of.NetTCP, of.NetTCP6} {
		lines, err := read() // a kernel without IPv6 has no tcp6
		for _, line := range lines {
			if err == nil && line.St == tcpListens {
				all = append(all, Listener{Port: int(line.LocalPort)})
			}
		}
	}
	sockets, err := of.NetUNIX()
	if err != nil {
		return nil, fmt.Errorf("look who listens: %w", err)
	}
	for _, line := range sockets.Rows {
		if uint64(line.Flags)&unixListens != 0 && strings.HasPrefix(line.Path, "/") {
			all = append(all, Listener{Socket: line.Path})
		}
	}
	slices.SortFunc(all, func(a, b Listener) int {
		return cmp.Or(cmp.Compare(a.Socket, b.Socket), a.Port-b.Port)
	})
	return slices.Compact(all), nil
}
