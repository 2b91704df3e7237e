package tracer

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// cpu is the one on which tracer and target take turns. While one of them works the other
// waits for it as a rule: on two CPUs each stop would wake a sleeping one, twice, which
// costs more than the stop.
type cpu struct{ set *unix.CPUSet }

// stay keeps the calling thread on the CPU to which the kernel has brought it.
func stay() cpu {
	var number uint32
	_, _, err := unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&number)), 0, 0)
	if err != 0 {
		return cpu{}
	}
	var set unix.CPUSet
	set.Set(int(number))
	if unix.SchedSetaffinity(0, &set) != nil {
		return cpu{}
	}
	takeShortTurns(0)
	return cpu{&set}
}

// share brings a thread there too, and with it those that it will start. A target that
// may not run there, or that is somebody else's, is as right elsewhere, and slower.
func (c cpu) share(tid int) {
	if c.set != nil {
		_ = unix.SchedSetaffinity(tid, c.set)
		takeShortTurns(tid)
	}
}

// takeShortTurns asks for the shortest slice that there is. Tracer and target work for some
// microseconds each and wait for each other: where loops share the CPU, the one that asks for
// little at a time has its turn first (sched_attr::sched_runtime of SCHED_OTHER, since Linux
// 6.12: https://docs.kernel.org/scheduler/sched-eevdf.html). An older kernel ignores it.
func takeShortTurns(tid int) {
	_ = unix.SchedSetAttr(tid, &unix.SchedAttr{
		Size:    unix.SizeofSchedAttr,
		Runtime: uint64(100 * time.Microsecond),
	}, 0)
}
