package tracer

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// What is written to a client that has gone is read by no one, and nobody waits for its end.
func TestAClientThatHasGoneIsNotCounted(t *testing.T) {
	for _, goes := range []bool{false, true} {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		must(t, err)
		defer unix.Close(pair[0])
		tr := &tracer{target: os.Getpid(), clients: map[int]*link{pair[0]: {files: 1}}}
		if goes {
			must(t, unix.Close(pair[1]))
		} else {
			defer unix.Close(pair[1])
		}
		tr.look(pair[0])
		tr.look(pair[0] + 1000) // which is no client's
		if l := tr.clients[pair[0]]; l.gone != goes {
			t.Errorf("gone: %v, want %v", l.gone, goes)
		}
		tr.unlink(pair[0])
		if counted := tr.closed == 1; counted == goes {
			t.Errorf("counted: %v, though it has gone: %v", counted, goes)
		}
	}
}
