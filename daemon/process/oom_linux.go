package process

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// oomDistance is how much sooner than the daemon a command dies when memory runs
// out, in thousandths of all that there is (proc_pid_oom_score_adj(5)): until the
// daemon itself fills half of it. Else the biggest process goes, which beside
// many small commands is the daemon, and with PID 1 everything else.
const (
	oomDistance = 500
	mostOOM     = 1000
)

// commandOOM is what every command's score is adjusted by. A daemon that is
// never to die (-1000) does not make its commands so.
var commandOOM = sync.OnceValue(func() []byte {
	raw, _ := os.ReadFile("/proc/self/oom_score_adj")
	own, _ := strconv.Atoi(strings.TrimSpace(string(raw)))
	return strconv.AppendInt(nil, int64(min(max(own, 0)+oomDistance, mostOOM)), 10)
})

// offerToOOM makes the child go first when memory runs out. What it has started
// already keeps the daemon's score. The file is that of whoever has the PID now;
// a child that is there afterwards had it all along.
func offerToOOM(child Child) {
	fd, err := syscall.Open("/proc/"+strconv.Itoa(child.PID())+"/oom_score_adj", syscall.O_WRONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer syscall.Close(fd)
	if child.Signal(syscall.Signal(0)) == nil {
		syscall.Write(fd, commandOOM())
	}
}
