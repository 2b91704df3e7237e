package clock

import "unsafe"

// addresses are where the code of fast_amd64.s is that stands in for the kernel's. None of it
// is called in this process.
func addresses() (clockGettimeAt, gettimeofdayAt, secondsAt unsafe.Pointer)

// standIns are by the names of what they stand in for (vdso(7)). With each comes as much of
// what is behind it as makes sure that it is whole.
func standIns() map[string][]byte {
	clock, day, second := addresses()
	return map[string][]byte{
		"__vdso_clock_gettime": unsafe.Slice((*byte)(clock), 160),
		"__vdso_gettimeofday":  unsafe.Slice((*byte)(day), 16),
		"__vdso_time":          unsafe.Slice((*byte)(second), 16),
	}
}
