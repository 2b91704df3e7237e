package fault

import "sync"

// which of every two bursts meets a fault.
type which int

const (
	firsts  which = iota // a target's very first commands do, before anything went well
	seconds              // the target can warm up
)

// meet says whether the request with this index is in a burst of so many that meets the fault.
func (w which) meet(index, size int) bool { return index/size%2 == int(w) }

// inBursts counts the requests of a fault that comes and goes with their bursts. Its size
// is 1 or more. The lock is its owner's to take, and guards what else a burst changes.
type inBursts struct {
	sync.Mutex

	which which
	size  int
	begun int  // how many requests have come
	on    bool // whether the last of them meets the fault
}

// next counts a request: it says in which burst it is, from 0, and whether the fault has
// to come or go before it is sent.
func (b *inBursts) next() (burst int, changes bool) {
	before := b.on
	b.on = b.which.meet(b.begun, b.size)
	b.begun++
	return b.last(), b.on != before
}

// last is the burst of the last request.
func (b *inBursts) last() int { return (b.begun - 1) / b.size }
