package tracer

import (
	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/event"
	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// link is one connection to a client. It may have several file descriptors.
type link struct {
	files int
	gone  bool // the client: nobody waits for what is written to it, or for its end
}

// noteFile keeps track of the target's connections to its clients, and of its timers.
func (t *tracer) noteFile(c trace.Call, result int64) {
	switch event.CallOf(c) {
	case event.Accept:
		if result >= 0 {
			t.clients[int(result)] = &link{files: 1}
		}
	case event.NewTimer:
		if result >= 0 {
			t.newTimer(int(result))
		}
	case event.CloseFD:
		t.unlink(fd(c))
	case event.Duplicate:
		if result >= 0 && int(result) != fd(c) {
			t.share(fd(c), int(result))
		}
	}
}

// look sees whether the client of a connection has gone. A target may answer whoever hung up
// long ago, once time passes.
func (t *tracer) look(number int) {
	l := t.clients[number]
	if l == nil {
		return
	}
	file, err := takeFile(t.target, number)
	if err != nil {
		return
	}
	defer unix.Close(file)
	poll := []unix.PollFd{{Fd: int32(file), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(poll, 0)
	l.gone = n > 0 && err == nil
}

// share notes one more file descriptor for what another one is for.
func (t *tracer) share(number, other int) {
	t.unlink(other) // dup2 closes what had the number
	if l := t.clients[number]; l != nil {
		t.clients[other] = l
		l.files++
	}
	if timer := t.timers[number]; timer != nil {
		t.timers[other] = timer
		timer.files++
	}
}

// unlink notes that a file descriptor was closed.
func (t *tracer) unlink(number int) {
	t.dropTimer(number)
	l := t.clients[number]
	if l == nil {
		return
	}
	delete(t.clients, number)
	if l.files--; l.files == 0 && !l.gone {
		t.closed++
	}
}
