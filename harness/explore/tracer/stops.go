package tracer

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/event"
	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// takeStop deals with the next stop; false where there is none at the moment.
func (t *tracer) takeStop() bool {
	stop, ok, err := trace.Wait()
	if err != nil || !ok {
		t.fail(err)
		return false
	}
	t.stops++
	t.looks, t.stopped = 0, time.Now()
	if stop.Ended() {
		t.over(stop)
		return true
	}
	th := t.threads[stop.TID]
	if th == nil {
		th = t.meet(stop.TID)
		t.early[stop.TID] = true
	}
	t.fail(t.deal(th, stop))
	t.turns.stopped(th)
	return true
}

// fail keeps the first problem. A thread that was killed is none.
func (t *tracer) fail(err error) {
	if err != nil && !errors.Is(err, trace.ErrGone) && t.failed == nil {
		t.failed = err
	}
}

func (t *tracer) over(stop trace.Stop) {
	t.stir()
	t.wakes++ // those that wait for its end
	th := t.threads[stop.TID]
	if th == nil {
		return // killed before it came up
	}
	t.drop(th)
	t.parked = slices.DeleteFunc(t.parked, func(p *thread) bool { return p == th })
	t.remove(th)
	if stop.TID == t.target {
		t.ended = fmt.Sprintf("exit status %d", stop.Status.ExitStatus())
		if stop.Status.Signaled() {
			t.ended = stop.Status.Signal().String()
		}
	}
}

// deal decides what becomes of one stopped thread.
func (t *tracer) deal(th *thread, stop trace.Stop) error {
	if stop.Call() {
		return t.atCall(th)
	}
	t.stir()
	switch {
	case stop.GroupStop(): // it is at rest until somebody wakes or kills it
		th.stopped = true
		return trace.Resume(th.tid, trace.Stopped, 0)
	case stop.Event() == unix.PTRACE_EVENT_EXEC:
		return t.atExec(th)
	case stop.Event() == unix.PTRACE_EVENT_EXIT:
		return t.atExit(th)
	case stop.Event() != 0:
		return errors.Join(t.expect(th, stop.Event()), t.resume(th, 0))
	default:
		return t.atSignal(th, stop.Status.StopSignal())
	}
}

// expect makes a new thread known that may not have come up yet: nobody is at rest
// before it has.
func (t *tracer) expect(th *thread, happened int) error {
	switch happened {
	case unix.PTRACE_EVENT_CLONE, unix.PTRACE_EVENT_FORK, unix.PTRACE_EVENT_VFORK:
	default:
		return nil
	}
	tid, err := trace.EventMessage(th.tid)
	if err == nil && !t.early[tid] {
		t.meet(tid)
	}
	delete(t.early, tid)
	return err
}

// resume lets a thread go on: the target's own when it is their turn, and to their next call.
func (t *tracer) resume(th *thread, sig unix.Signal) error {
	th.stopped = false
	switch {
	case th.command != nil:
		return trace.Resume(th.tid, trace.Freely, sig)
	case t.turns.take(th, sig):
		return nil
	}
	return trace.Resume(th.tid, trace.ToCall, sig)
}

// atExec is for the target, which begins here, and for a command, whose own children
// are let alone from now on.
func (t *tracer) atExec(th *thread) error {
	if c := th.command; c != nil {
		if c.pid == th.tid {
			c.executed(t.watch.Data)
		}
		if t.watch.Orphans && t.holding {
			return t.resume(th, 0)
		}
		const alone = unix.PTRACE_O_TRACECLONE | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK
		return errors.Join(trace.SetOptions(th.tid, t.options()&^alone), t.resume(th, 0))
	}
	for tid, other := range t.threads {
		if other.command == nil && tid != t.target {
			t.remove(other)
		}
	}
	th.inside = false // what comes next is the exit of execve, before the program's first call
	t.cpu.share(th.tid)
	clear(t.clients)
	t.memory.Close()
	var err error
	if t.memory, err = trace.OpenMemory(t.target); err != nil {
		return err
	}
	return errors.Join(t.takeFast(th), t.resume(th, 0))
}

// atExit holds the death of a command: its files are still open, and its parent does
// not know. The target's own threads are let end.
func (t *tracer) atExit(th *thread) error {
	if th.command == nil {
		// It needs no turn to end, but may have to wait for others. See lasts.
		th.inside, th.call, th.stopped = true, trace.Call{Number: unix.SYS_EXIT}, false
		t.turns.leave(th)
		return trace.Resume(th.tid, trace.ToCall, 0)
	}
	c := th.command
	if c.pid != th.tid || !t.holding || c.number+c.of == 0 {
		return t.resume(th, 0)
	}
	c.dying = true
	if c.of > 0 {
		t.hold(th, event.Name{Kind: event.Orphan, Command: c.of}, nil)
		return nil
	}
	t.hold(th, event.Name{Kind: event.Exit, Command: c.number}, nil)
	return nil
}

// counts says whether the events of a command are held.
func (t *tracer) counts(c *command) bool { return t.holding && c != nil && c.number > 0 }

// detach lets a thread of a target go that is to live on without us.
func (t *tracer) detach(stop trace.Stop) {
	th := t.threads[stop.TID]
	if th != nil && th.undo != nil && stop.Call() {
		_ = th.undo()
	}
	delete(t.threads, stop.TID)
	if !stop.Ended() {
		_ = trace.Detach(stop.TID)
	}
}
