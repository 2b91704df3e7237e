package late

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Rust's std tells of exec by a pair of sockets that keeps packets apart, and Node.js has pairs
// of another type for what a command writes.
func TestPacketsAreToldFromStreams(t *testing.T) {
	for kind, want := range map[int]bool{unix.SOCK_SEQPACKET: true, unix.SOCK_STREAM: false} {
		pair, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range pair {
			defer unix.Close(fd)
		}
		name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", pair[0]))
		if err != nil {
			t.Fatal(err)
		}
		if got := packets(os.Getpid(), name); got != want {
			t.Errorf("type %d: %v", kind, got)
		}
	}
	if packets(os.Getpid(), "pipe:[7]") {
		t.Error("a pipe is no socket")
	}
}
