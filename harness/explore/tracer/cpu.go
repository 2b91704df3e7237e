package tracer

import (
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
	return cpu{&set}
}

// share brings a thread there too, and with it those that it will start. A target that
// may not run there, or that is somebody else's, is as right elsewhere, and slower.
func (c cpu) share(tid int) {
	if c.set != nil {
		_ = unix.SchedSetaffinity(tid, c.set)
	}
}
