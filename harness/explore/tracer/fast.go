package tracer

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/clock"
	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// fetch gets a target the page that its fast clock reads: right after its first call it
// makes two more, of which it knows nothing. A target that may not make them is left as it
// is, and asks the kernel for the time.
type fetch struct {
	fast  *clock.Fast
	after *trace.Registers // nil until the first call has returned
	call  trace.Call
	first int64 // its result
	page  uint64
}

// takeFast is for a target that has just executed its program.
func (t *tracer) takeFast(th *thread) error {
	t.fetch = nil
	t.clock.Show(nil)
	at, err := trace.Look(th.tid)
	if err != nil {
		return err
	}
	fast, err := clock.TakeFast(t.memory, at.SP)
	if fast != nil {
		t.fetch = &fetch{fast: fast}
	}
	return err
}

// fetched takes the next step at the exit of a call. again says that the thread makes
// another one; else result is what its own call has returned.
func (t *tracer) fetched(th *thread, result int64) (again bool, own int64, err error) {
	f := t.fetch
	switch {
	case f == nil || restarts(result):
		return false, result, nil
	case f.after == nil:
		registers, err := trace.GetRegisters(th.tid)
		f.after, f.call, f.first = &registers, th.call, result
		return true, 0, errors.Join(err, trace.Repeat(th.tid, newPage()))
	case f.page == 0 && result > 0:
		f.page = uint64(result)
		return true, 0, trace.Repeat(th.tid, keepFromChildren(f.page))
	}
	t.fetch = nil
	if f.page != 0 && result == 0 {
		err = f.fast.Use(f.page)
		t.clock.Show(f.fast)
	}
	th.call = f.call
	return false, f.first, errors.Join(err, f.after.Set(th.tid))
}

func newPage() trace.Call {
	nobody := ^uint64(0)
	return trace.Call{Number: unix.SYS_MMAP, Args: [6]uint64{
		0, clock.PageSize, unix.PROT_READ | unix.PROT_WRITE, unix.MAP_PRIVATE | unix.MAP_ANONYMOUS, nobody,
	}}
}

// keepFromChildren has a child find zeros in the page (madvise(2)). Its time is not ours, and
// would stand still for ever.
func keepFromChildren(page uint64) trace.Call {
	return trace.Call{Number: unix.SYS_MADVISE, Args: [6]uint64{page, clock.PageSize, unix.MADV_WIPEONFORK}}
}
