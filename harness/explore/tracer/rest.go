package tracer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/clock"
	"github.com/reapcheck/reapcheck/harness/explore/event"
	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// awaited is a rest that the harness waits for.
type awaited struct {
	request
	until time.Time
	why   string // what was in its way at the last look
	quiet quiet
}

// late says whether the harness has waited for as long as it meant to. nil is for nothing.
func (a *awaited) late() bool { return a != nil && time.Now().After(a.until) }

// quiet is a time in which nobody did anything although a client had said something, or
// had gone.
type quiet struct {
	since time.Time
	stops int // that there had been by then
}

// quietLimit is for how long a target must do nothing for it not to read its clients
// now: it has no eye on who is waiting for its answer, or a thread that is held has a lock
// that the reader wants, as Python's has in fork(2). What a client does is in the target's
// queue before its own call returns, and a thread that is about to read it does not sleep.
// So one such wait is enough for all that the clients have done by then.
const quietLimit = 200 * time.Millisecond

// lookForRest answers the harness once everybody is held or asleep, or cannot be.
func (t *tracer) lookForRest() (reply, bool) {
	a := t.awaited
	if a == nil {
		return reply{}, false
	}
	rest := false
	if t.ended == "" && t.failed == nil {
		if a.why = t.inTheWay(); a.why == "" {
			a.why = t.unread()
		}
		rest = a.why == ""
	}
	if !rest && !a.late() && t.ended == "" && t.failed == nil {
		return reply{}, false
	}
	t.awaited = nil
	if t.failed != nil {
		return problem(t.failed), true
	}
	answer := t.rest()
	answer.Deaf = rest && t.received >= a.Arrived && t.left < a.Gone
	if !rest && t.ended == "" {
		answer.Restless = fmt.Sprintf("a moment at which everybody is held or asleep expected "+
			"within %v, last saw that %s", a.Limit, a.why)
	}
	return reply{Rest: answer}, true
}

func (t *tracer) rest() *Rest {
	r := &Rest{
		Held:     []Held{},
		Timers:   t.clock.Timers(),
		Received: t.received,
		Sent:     t.sent,
		Left:     t.left,
		Closed:   t.closed,
		Stops:    t.stops,
		Rivals:   t.rivals,
		Commands: len(t.commands),
		Threads:  t.own(),
		Untimed:  slices.Sorted(maps.Keys(t.untimed)),
		Ended:    t.ended,
	}
	for _, c := range t.commands {
		r.PIDs = append(r.PIDs, c.inside)
		if !c.exec {
			r.Forked++
		}
	}
	r.Last, r.Free = t.last()
	for _, h := range t.held {
		one := Held{ID: h.id, Name: h.name}
		if h.thread != nil && h.thread.command == nil {
			one.Thread = h.thread.tid
		}
		r.Held = append(r.Held, one)
	}
	if before, ok := t.before(); ok {
		r.Held = append(r.Held, before)
	}
	slices.SortFunc(r.Held, func(a, b Held) int {
		if a.Name.Less(b.Name) {
			return -1
		}
		return 1
	})
	return r
}

// last is the number of the newest process that can be used again, and whether it can now.
func (t *tracer) last() (number int, free bool) {
	all := t.orphans
	if len(all) == 0 {
		all = t.commands
	}
	if len(all) == 0 {
		return 0, false
	}
	c := all[len(all)-1]
	return c.inside, errors.Is(unix.Kill(c.pid, 0), unix.ESRCH)
}

// inTheWay says why this is no rest; empty for one. Nobody has a turn then, and only the
// commands can wake one of the target's threads. There was one moment at which all slept if
// each was seen asleep, the commands before the others, no command has had a CPU since it
// was, and no stop came.
func (t *tracer) inTheWay() string {
	if t.signal.sent && t.canGetSignal() {
		return "SIGCHLD is under way"
	}
	if t.turns.now != nil || len(t.turns.line) > 0 {
		return "a thread has its turn"
	}
	why := t.sleeps()
	if why == "" && !t.sleptOn() {
		why = "a command has just run"
	}
	if why == "" && t.takeStop() {
		why = "a thread has just stopped"
	}
	if why == "" && t.idle < idleToRest*len(t.turns.nappers) {
		t.wakeNappers()
		why = "a thread naps"
	}
	return why
}

// unread says what of its clients the target may still be about to read.
func (t *tracer) unread() string {
	a := t.awaited
	why := ""
	switch {
	case t.received < a.Arrived:
		why = fmt.Sprintf("the target has read %d bytes of its clients, of %d", t.received, a.Arrived)
	case t.left < a.Gone:
		why = "the target has not seen its client go"
	default:
		return ""
	}
	if a.Acts == t.queued {
		return ""
	}
	if a.quiet.since.IsZero() || a.quiet.stops != t.stops {
		a.quiet = quiet{time.Now(), t.stops}
	}
	if time.Since(a.quiet.since) < quietLimit {
		return why
	}
	t.queued = a.Acts
	return ""
}

// sleeps says which thread is neither held nor asleep, if one is not.
func (t *tracer) sleeps() string {
	for tid, th := range t.threads { // what we know costs nothing
		switch {
		case th.stopped:
		case th.command == nil && !th.inside:
			return fmt.Sprintf("thread %d runs", tid)
		case th.timeout != nil && th.timeout.Nap:
			return fmt.Sprintf("thread %d naps", tid)
		}
	}
	for tid, th := range t.threads {
		if th.command != nil && !th.stopped && !(th.look() && t.waits(th, th.sleep)) {
			return fmt.Sprintf("thread %d %s", tid, th.doing())
		}
	}
	for tid, th := range t.threads {
		if th.command == nil && !th.stopped && !t.lasts(th) {
			return fmt.Sprintf("thread %d %s", tid, th.doing())
		}
	}
	return ""
}

// lasts says whether one of the target's own threads sleeps, until something is let go. Who
// was seen asleep on a futex is so until another one makes a call that may end that.
func (t *tracer) lasts(th *thread) bool {
	switch {
	case th.call.Number == unix.SYS_EXIT && th.tid == t.target && t.own() > 1 && th.seat.Ended():
		// A process's first thread is seen to end when all others have ended, and the last
		// one of a namespace's PID 1 sleeps until all processes in there have.
		return true
	case !clock.Sleeps(th.call) && !event.CallOf(th.call).Lasts():
		return th.look() && t.waits(th, th.sleep)
	case th.parkedAt == t.wakes:
		return true
	}
	if th.asleep = th.seat.Sleeps(); th.asleep && clock.Parks(th.call) {
		th.parkedAt = t.wakes
	}
	return th.asleep
}

// own is how many threads the target has.
func (t *tracer) own() (n int) {
	for _, th := range t.threads {
		if th.command == nil {
			n++
		}
	}
	return n
}

// look says whether the thread sleeps, and keeps in what. Who was woken and has had no CPU
// since is unmoved, and sleeps no more: on a busy machine that takes milliseconds.
func (th *thread) look() (ok bool) {
	if th.asleep && th.sleep.Turns > 0 {
		sleeps := th.seat.Sleeps() // first: whoever is unmoved afterwards did so in that call
		if th.seat.Unmoved(th.sleep) {
			th.asleep = sleeps
			return sleeps
		}
	}
	th.sleep, th.asleep = th.seat.Look()
	return th.asleep
}

// sleptOn says whether all commands that sleep have done so since they were last looked at.
func (t *tracer) sleptOn() bool {
	for _, th := range t.threads {
		if th.command != nil && !th.stopped && !(th.seat.Sleeps() && th.seat.Unmoved(th.sleep)) {
			return false
		}
	}
	return true
}

func (th *thread) doing() string {
	if !th.asleep {
		return "runs"
	}
	return fmt.Sprintf("is in system call %d, which ends by itself", th.sleep.Call.Number)
}

// waits says whether a sleep lasts until something that we hold is let go.
func (t *tracer) waits(th *thread, s trace.Sleep) bool {
	switch c := th.command; {
	case c != nil && c.number > 0:
		return writes(s.Call) || endless(th, s.Call)
	case c != nil:
		return true
	case s.Deep: // a parent until its child has executed a program, which may be held
		return event.CallOf(s.Call) == event.Fork && t.heldAtStart()
	case writes(s.Call): // a log that somebody outside reads
		return t.clients[fd(s.Call)] != nil
	}
	return true
}

// heldAtStart says whether a child is held that has executed no program yet. Without one, a
// parent that cannot be woken waits in fork(2) for the kernel: all of them do while some
// process is moved to another control group.
func (t *tracer) heldAtStart() bool {
	for _, th := range t.threads {
		if th.command != nil && th.stopped && !th.command.exec {
			return true
		}
	}
	return false
}

func writes(c trace.Call) bool { return event.CallOf(c) == event.Write }

// long is how long a command must mean to sleep for its sleep to count as one without
// an end.
const long = 1000 * time.Second

func endless(th *thread, c trace.Call) bool {
	if event.CallOf(c) == event.Pause {
		return true
	}
	if c.Number != unix.SYS_NANOSLEEP && c.Number != unix.SYS_CLOCK_NANOSLEEP {
		return false
	}
	memory, err := trace.OpenMemory(th.tid)
	if err != nil {
		return false
	}
	defer memory.Close()
	limit, ok := clock.TimeoutOf(c, memory)
	return ok && limit.Limit >= long
}

// fireTimers wakes those whose time is up, while the clock follows the machine's.
func (t *tracer) fireTimers() {
	if t.target != 0 && t.ended == "" && !t.clock.Frozen() {
		t.wakeDue()
	}
}

// wakeDue interrupts each sleeper whose time is up. leaveSleep then says so to it.
func (t *tracer) wakeDue() {
	for _, tid := range t.clock.Due() {
		th := t.threads[tid]
		t.clock.Wake(tid)
		if tid < 0 {
			t.fail(t.ring(tid))
			t.stir()
			continue
		}
		if th == nil || th.due {
			continue
		}
		th.due = true
		t.wakes++
		t.fail(trace.Interrupt(tid))
		t.stir()
	}
}
