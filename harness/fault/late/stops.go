package late

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// attach seizes the target's threads until a look finds no other, and has each of them
// stop once: it is traced from then on. A thread that one of them starts meanwhile is
// seized by the kernel.
func (t *tracer) attach() error {
	for more := true; more; {
		entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", t.target))
		if err != nil {
			return fmt.Errorf("%w: process %d has ended", ErrRefused, t.target)
		}
		more = false
		for _, entry := range entries {
			tid, _ := strconv.Atoi(entry.Name())
			if t.threads[tid] != nil || trace.TracerOf(tid) == os.Getpid() {
				continue
			}
			seized, err := t.seize(tid)
			if err != nil {
				return err
			}
			more = more || seized
		}
	}
	if t.unmet == 0 {
		return fmt.Errorf("%w: process %d has ended", ErrRefused, t.target)
	}
	return nil
}

// seize says whether there was a thread to seize, which is new.
func (t *tracer) seize(tid int) (bool, error) {
	err := trace.Seize(tid, t.options)
	if err == nil {
		err = trace.Interrupt(tid)
	}
	switch {
	case err == nil:
		t.threads[tid] = &thread{tid: tid, own: true}
		t.unmet++
		return true, nil
	case errors.Is(err, trace.ErrGone), trace.TracerOf(tid) == os.Getpid(), ended(tid):
		return false, nil
	}
	return false, fmt.Errorf("%w: %w", ErrRefused, trace.Refused(tid, err))
}

// ended says whether a thread has ended though it can be seen, as the first one of a
// process can until all have.
func ended(tid int) bool {
	seat, err := trace.OpenSeat(tid)
	if err != nil {
		return true
	}
	defer seat.Close()
	return seat.Ended()
}

// meet is for the first stop of a thread. One that is new has not run yet.
func (t *tracer) meet(tid int) *thread {
	th := t.threads[tid]
	if th == nil {
		_, err := os.Stat(fmt.Sprintf("/proc/%d/task/%d", t.target, tid))
		th = &thread{tid: tid, own: err == nil, met: true}
		t.threads[tid] = th
	}
	if !th.met {
		th.met = true
		t.unmet--
	}
	return th
}

// over forgets a thread that has ended.
func (t *tracer) over(tid int) {
	if th := t.threads[tid]; th != nil && !th.met {
		t.unmet--
	}
	delete(t.threads, tid)
}

// deal decides what becomes of one stopped thread.
func (t *tracer) deal(stop trace.Stop) error {
	if stop.Ended() {
		t.over(stop.TID)
		return nil
	}
	th := t.meet(stop.TID)
	switch event := stop.Event(); {
	case stop.Call():
		return t.atCall(th)
	case stop.GroupStop(): // until somebody wakes or kills it
		return trace.Resume(th.tid, trace.Stopped, 0)
	case event == unix.PTRACE_EVENT_EXEC:
		return t.atExec(th)
	case event == unix.PTRACE_EVENT_EXIT && !th.own:
		t.watch.executed(th.tid) // or never will have
		return t.resume(th, 0)
	case event != 0:
		return t.resume(th, 0)
	}
	return t.resume(th, stop.Status.StopSignal())
}

// resume lets a thread go on: the target's own to their next call.
func (t *tracer) resume(th *thread, sig unix.Signal) error {
	if th.own {
		return trace.Resume(th.tid, trace.ToCall, sig)
	}
	return trace.Resume(th.tid, trace.Freely, sig)
}

// atCall is an entry to, or an exit from, a system call of the target.
func (t *tracer) atCall(th *thread) error {
	if th.inside && !th.wanted {
		th.inside = false
		return t.resume(th, 0)
	}
	at, err := trace.Look(th.tid)
	if err != nil {
		return err
	}
	switch {
	case at.Entry:
		th.inside, th.call = true, at.Call
		th.wanted = th.own && t.watch.begins(th.tid, at.Call)
	case th.wanted:
		th.inside, th.wanted = false, false
		if t.watch.hits(th.tid, th.call, at.Result) {
			return t.keep(th)
		}
	}
	return t.resume(th, 0)
}

// atExec lets a command go: it has executed its program. A target that executes another
// one stays, and has this thread alone, under the first one's number.
func (t *tracer) atExec(th *thread) error {
	if former, err := trace.EventMessage(th.tid); err == nil && former != th.tid {
		t.over(former) // that number is gone without a word
	}
	if !th.own {
		t.watch.executed(th.tid)
		delete(t.threads, th.tid)
		return trace.Detach(th.tid)
	}
	for tid, other := range t.threads {
		if other.own {
			t.over(tid)
		}
	}
	t.threads[th.tid] = &thread{tid: th.tid, own: true, met: true}
	return t.resume(th, 0)
}
