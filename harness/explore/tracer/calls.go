package tracer

import (
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/clock"
	"github.com/reapcheck/reapcheck/harness/explore/event"
	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// atCall is an entry to, or an exit from, one of the target's system calls.
func (t *tracer) atCall(th *thread) error {
	at, err := trace.Look(th.tid)
	if err != nil {
		return err
	}
	if t.memory == nil || th.command != nil {
		return t.resume(th, 0)
	}
	if at.Entry {
		return t.enter(th, at.Call)
	}
	if !th.inside { // a new thread, or one that has been seized within a call
		return t.resume(th, 0)
	}
	th.inside = false
	again, result, err := t.fetched(th, at.Result)
	if again || err != nil {
		return errors.Join(err, t.resume(th, 0))
	}
	return t.leave(th, result)
}

// ErrTraces is a target that is itself a tracer.
var ErrTraces = errors.New("the target calls ptrace(2) itself, and the kernel allows a process one tracer")

// enter keeps time from a sleeper, and holds a wait for one command.
func (t *tracer) enter(th *thread, call trace.Call) error {
	repeated := th.again != nil && (*th.again == call || call.Number == unix.SYS_RESTART_SYSCALL)
	if repeated {
		call = *th.again
	}
	th.call, th.inside, th.parkedAt = call, true, 0
	if clock.Wakes(call) {
		t.wakes++
	}
	if name := clock.Untimed(call); name != "" {
		t.untimed[name] = true
	}
	switch {
	case call.Number == unix.SYS_PTRACE:
		t.fail(ErrTraces)
	case event.CallOf(call) == event.CloseFD:
		t.look(fd(call))
	}
	if err := t.enterSleep(th, repeated); err != nil {
		return err
	}
	if anyOf(call) {
		if err := t.narrow(th); err != nil {
			return err
		}
	}
	if !t.idles(th) {
		th.spins = 0
		t.stir()
	}
	if repeated {
		th.again = nil
	} else if event.CallOf(call) == event.WaitOne {
		if c := t.awaitedCommand(th.call); t.counts(c) {
			t.hold(th, event.Name{Kind: event.Wait, Command: c.number}, nil)
			return nil
		}
	}
	if t.park(th) {
		return nil
	}
	return t.resume(th, 0)
}

// idles says whether a call does nothing that could be news to another thread.
func (t *tracer) idles(th *thread) bool {
	return th.timeout != nil && th.timeout.Nap || clock.Tells(th.call) || event.CallOf(th.call) == event.GiveWay
}

// enterSleep makes a call that sleeps with a limit sleep without one.
func (t *tracer) enterSleep(th *thread, repeated bool) (err error) {
	limit, ok := clock.TimeoutOf(th.call, t.memory)
	if !ok {
		return nil
	}
	th.timeout = &limit
	if limit.Nap {
		return t.enterNap(th, limit)
	}
	if !repeated {
		t.clock.Sleep(th.tid, limit)
	}
	if limit.Argument < 0 {
		th.undo, err = limit.Rewrite(t.memory, clock.Forever)
		return err
	}
	old := th.call.Args[limit.Argument]
	th.undo = func() error { return trace.SetArgument(th.tid, limit.Argument, old) }
	return trace.SetArgument(th.tid, limit.Argument, limit.Forever)
}

// enterNap makes a nap one that takes no time: what is asked for is no length.
func (t *tracer) enterNap(th *thread, limit clock.Timeout) (err error) {
	if t.turns.taken {
		th.undo, err = limit.Rewrite(t.memory, -time.Nanosecond)
	}
	return err
}

// How often a thread must nap, or give way to others, without anything else being done,
// for it to have seen that there is nothing to do. One that gives way spins: it waits
// for a thread that is held, as Go's collector does for one in a raw system call.
const (
	idleToRest  = 2
	spinsToRest = 100
)

// park keeps a thread from its nap until the others have nothing to do, and from giving way
// once more until something is done. It would otherwise be awake half of the time, and there
// would be no rest.
func (t *tracer) park(th *thread) bool {
	switch {
	case th.timeout != nil && th.timeout.Nap && th.undo != nil:
		t.turns.nappers = append(t.turns.nappers, th)
	case event.CallOf(th.call) != event.GiveWay:
		return false
	default:
		t.turns.giveWay(th)
		if th.spins++; t.awaited == nil || th.spins < spinsToRest {
			return false
		}
		t.parked = append(t.parked, th)
	}
	th.stopped = true
	return true
}

// stir notes that somebody did something else.
func (t *tracer) stir() {
	t.idle = 0
	parked := t.parked
	t.parked = nil
	for _, th := range parked {
		th.spins = 0
		t.fail(t.resume(th, 0))
	}
}

// leave undoes what enter did, corrects what the call says, and holds what the target
// may not know yet.
func (t *tracer) leave(th *thread, result int64) error {
	if again, err := t.widen(th, result); again || err != nil {
		return errors.Join(err, t.resume(th, 0))
	}
	result, err := t.leaveSleep(th, result)
	if err == nil && clock.Tells(th.call) {
		var told int64
		if told, err = t.clock.Tell(th.call, t.memory, result); err == nil && told != result {
			err = trace.SetResult(th.tid, told)
		}
	}
	if err != nil {
		return err
	}
	if th.back {
		return t.goBack(th, result)
	}
	if restarts(result) {
		call := th.call
		th.again = &call
		return t.resume(th, 0)
	}
	if name, found := t.learnt(th, result); found {
		t.hold(th, name, nil)
		return nil
	}
	return t.resume(th, 0)
}

func (t *tracer) leaveSleep(th *thread, result int64) (int64, error) {
	limit, undo, due := th.timeout, th.undo, th.due
	th.timeout, th.undo, th.due = nil, nil, false
	if limit == nil {
		return result, nil
	}
	var err error
	if undo != nil {
		err = undo()
	}
	if limit.Nap {
		t.idle++
		if result == -int64(unix.EINVAL) {
			result = limit.Result
			err = errors.Join(err, trace.SetResult(th.tid, result))
		}
	}
	interrupted := result == -int64(unix.EINTR) || restarts(result)
	if due && interrupted {
		result = limit.Result
		err = errors.Join(err, trace.SetResult(th.tid, result))
	}
	if !interrupted || due {
		t.clock.Wake(th.tid)
	}
	return result, err
}

// restarts says whether the kernel will enter the call again by itself, unless a
// handler forbids it: ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND and
// ERESTART_RESTARTBLOCK, which only a tracer sees.
func restarts(result int64) bool { return result <= -512 && result >= -516 && result != -515 }

// learnt is what the target is about to learn from a call; false where that is of no
// interest.
func (t *tracer) learnt(th *thread, result int64) (event.Name, bool) {
	switch event.CallOf(th.call) {
	case event.Accept, event.CloseFD, event.Duplicate, event.NewTimer:
		t.noteFile(th.call, result)
	case event.SetTimer:
		if result == 0 {
			t.setTimer(th.call)
		}
	case event.AskTimer:
		if result == 0 {
			t.askTimer(th.call)
		}
	case event.OpenPidfd:
		if result >= 0 {
			t.pidfds[int(result)] = t.inside(int(int32(th.call.Args[0])))
		}
	case event.Write:
		t.look(fd(th.call))
		if l := t.clients[fd(th.call)]; l != nil && !l.gone && result > 0 {
			t.sent += result
		}
	case event.Read:
		return t.learntByRead(th.call, result)
	case event.Fork:
		return t.learntByFork(th.call, result)
	case event.WaitAny, event.WaitOne:
		return t.learntByWait(th.call, result)
	case event.SignalWait:
		return event.Name{Kind: event.Signal}, t.holding && result == int64(unix.SIGCHLD)
	}
	return event.Name{}, false
}

func fd(c trace.Call) int { return int(int32(c.Args[0])) }

func (t *tracer) learntByRead(c trace.Call, result int64) (event.Name, bool) {
	if t.clients[fd(c)] != nil {
		t.received += max(0, result)
		if result == 0 {
			t.left++
		}
		return event.Name{}, false
	}
	if !t.holding || result < 0 || len(t.commands) == 0 {
		return event.Name{}, false
	}
	inode, ok := pipeOf(t.target, fd(c))
	if !ok {
		return event.Name{}, false
	}
	for _, command := range t.commands {
		switch {
		case command.output[inode] && result == 0:
			return event.Name{Kind: event.EOF, Command: command.number}, true
		case command.output[inode]:
			return event.Name{Kind: event.Data, Command: command.number}, t.watch.Data
		case command.status[inode] && !command.known:
			command.known = true
			return event.Name{Kind: event.Start, Command: command.number, Failed: result > 0}, true
		}
	}
	return event.Name{}, false
}

// learntByFork is for a parent that does not learn by a pipe that its child runs: it
// knows by the end of the call.
func (t *tracer) learntByFork(c trace.Call, result int64) (event.Name, bool) {
	command := t.inside(int(result))
	if result <= 0 || command == nil || command.known {
		return event.Name{}, false
	}
	if address := event.PidfdAt(c, t.memory); address != 0 {
		if number, ok := t.readNumber(address); ok {
			t.pidfds[number] = command
		}
	}
	if event.Suspends(c, t.memory) && len(command.status) > 0 {
		return event.Name{}, false
	}
	command.known = true
	return event.Name{Kind: event.Start, Command: command.number}, t.counts(command)
}

func (t *tracer) readNumber(address uint64) (int, bool) {
	var raw [4]byte
	err := t.memory.Read(raw[:], address)
	return int(int32(binary.NativeEndian.Uint32(raw[:]))), err == nil
}

// learntByWait holds a wait that has found a command, or has found that it is gone.
func (t *tracer) learntByWait(c trace.Call, result int64) (event.Name, bool) {
	one := event.CallOf(c) == event.WaitOne
	if result < 0 {
		if command := t.awaitedCommand(c); one && t.counts(command) {
			return event.Name{Kind: event.Waited, Command: command.number, Failed: true}, true
		}
		return event.Name{Kind: event.Empty}, !one && t.emptyCounts()
	}
	found := int(result)
	if address := event.FoundAt(c); address != 0 {
		const pidAt = 16 // of si_pid in siginfo_t, on 64-bit machines
		found, _ = t.readNumber(address + pidAt)
	}
	command := t.inside(found)
	if found == 0 {
		return event.Name{Kind: event.Empty}, !one && t.emptyCounts()
	}
	if !t.counts(command) {
		return event.Name{}, false
	}
	if !event.Peeks(c) && !(one && event.Blocks(c)) {
		t.rivals++
	}
	switch {
	case one:
		return event.Name{Kind: event.Waited, Command: command.number}, true
	case event.Peeks(c):
		return event.Name{Kind: event.Peek, Command: command.number}, true
	}
	return event.Name{Kind: event.Take, Command: command.number}, true
}

// emptyCounts says whether a wait that has found no child is an event.
func (t *tracer) emptyCounts() bool { return t.holding && t.watch.Empty && len(t.commands) > 0 }

// awaitedCommand is whom a wait for one child is for; nil for nobody that we know.
func (t *tracer) awaitedCommand(c trace.Call) *command {
	if event.CallOf(c) != event.WaitOne {
		return nil
	}
	if !event.ByPidfd(c) {
		return t.inside(event.PID(c))
	}
	if command := t.pidfds[event.PID(c)]; command != nil {
		return command
	}
	text, _ := infoLine(t.target, event.PID(c), "Pid:")
	pid, _ := strconv.Atoi(text)
	for _, command := range t.commands {
		if command.pid == pid && pid > 0 {
			return command
		}
	}
	return nil
}
