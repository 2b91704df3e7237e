package tracer

import (
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/clock"
	"github.com/reapcheck/reapcheck/harness/explore/event"
	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// held is an event that waits to be let go.
type held struct {
	id     int
	name   event.Name
	thread *thread
	let    func() error // in place of letting the thread go on
}

// hold keeps a stopped thread where it is, or, without one, something that let does.
func (t *tracer) hold(th *thread, name event.Name, let func() error) {
	for slices.ContainsFunc(t.held, func(h *held) bool { return h.name == name }) {
		name.Again++
	}
	t.lastID++
	t.held = append(t.held, &held{t.lastID, name, th, let})
	if th != nil {
		th.stopped = true
	}
}

// release lets one event go; a negative number is for SIGCHLD as before has it.
func (t *tracer) release(id int) error {
	beforeSleep := id < 0
	if beforeSleep {
		id = -id
	}
	i := slices.IndexFunc(t.held, func(h *held) bool { return h.id == id })
	if i < 0 {
		return fmt.Errorf("release event %d: it is not held", id)
	}
	h := t.held[i]
	t.held = slices.Delete(t.held, i, i+1)
	switch {
	case beforeSleep:
		return t.sendBack()
	case h.let != nil:
		return h.let()
	}
	return t.resume(h.thread, 0)
}

// drop forgets what a thread was held with that has been killed.
func (t *tracer) drop(th *thread) {
	t.held = slices.DeleteFunc(t.held, func(h *held) bool { return h.thread == th })
}

// signal is a SIGCHLD that the target has not been told of yet. It is taken from the
// thread that the kernel has picked, since holding that thread would hold whatever
// else it has to do, and sent again. Later ones merge with it, as in the kernel.
type signal struct {
	info *trace.SignalInfo
	held int  // the event that it is held by
	sent bool // again, and it has not arrived yet
}

// atSignal is before a signal's delivery. All but SIGCHLD go through.
func (t *tracer) atSignal(th *thread, sig unix.Signal) error {
	if th.command != nil || sig != unix.SIGCHLD {
		return t.resume(th, sig)
	}
	info, err := trace.Signal(th.tid)
	if err != nil {
		return err
	}
	if t.signal.sent { // by us; or by the kernel, if that was pending: they merge
		original := t.signal.info
		t.signal = signal{}
		if err := trace.SetSignal(th.tid, original); err != nil {
			return err
		}
		return t.resume(th, sig)
	}
	if !t.holding {
		return t.resume(th, sig)
	}
	if t.signal.info == nil {
		t.signal.info = info
		t.hold(nil, event.Name{Kind: event.Signal}, t.sendSignal)
		t.signal.held = t.lastID
	}
	return t.resume(th, 0)
}

// canGetSignal says whether SIGCHLD, which was sent, can arrive before something else is let
// go. A daemon may have one thread alone that does not block it, and that may be held.
func (t *tracer) canGetSignal() bool {
	const mask = 1 << (unix.SIGCHLD - 1)
	for tid, th := range t.threads {
		if th.command != nil || th.stopped {
			continue
		}
		if blocked, err := statusWord(tid, "SigBlk", 16); err != nil || blocked&mask == 0 {
			return true
		}
	}
	return false
}

func (t *tracer) sendSignal() error {
	t.signal.sent = true
	t.wakes++
	if err := unix.Kill(t.target, unix.SIGCHLD); err != nil {
		return fmt.Errorf("send SIGCHLD again: %w", err)
	}
	return nil
}

// The kernel lets a signal come between a thread's last look and the call in which it then
// sleeps (pselect(2)). So a thread that sleeps is sent back to that call: it gets the signal
// first, and sleeps again.

// before is SIGCHLD as it could come by that way too; false where it could not. With several
// threads another one may be there for what the handler leaves undone.
func (t *tracer) before() (Held, bool) {
	th := t.sleeper()
	if th == nil || t.signal.info == nil || t.signal.sent || event.SwapsSignals(th.call, t.memory) {
		return Held{}, false
	}
	return Held{ID: -t.signal.held, Name: event.Name{Kind: event.Missed}}, true
}

// sleeper is the target's one thread, if it sleeps until something happens; nil otherwise.
func (t *tracer) sleeper() *thread {
	th := t.threads[t.target]
	if th == nil || t.own() > 1 || !th.inside || th.stopped {
		return nil
	}
	switch kind := event.CallOf(th.call); {
	case kind == event.Read, kind == event.Accept, kind == event.Pause, clock.Sleeps(th.call):
		return th
	}
	return nil
}

// sendBack wakes the sleeper, for goBack to meet it.
func (t *tracer) sendBack() error {
	th := t.sleeper()
	if th == nil {
		return errors.New("release SIGCHLD before a sleep: nobody sleeps")
	}
	t.signal.sent, th.back = true, true // in a moment
	t.wakes++
	return trace.Interrupt(th.tid)
}

// goBack sends a thread that leaves its sleep back to it, with the signal on the way.
func (t *tracer) goBack(th *thread, result int64) error {
	th.back = false
	if t.signal.info == nil { // another SIGCHLD has brought it
		return t.resume(th, 0)
	}
	var err error
	if result == -int64(unix.EINTR) || restarts(result) {
		call := th.call
		th.again = &call
		err = trace.Repeat(th.tid, call)
	}
	return errors.Join(err, t.sendSignal(), t.resume(th, 0))
}
