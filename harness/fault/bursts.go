package fault

import "sync"

// which of every two bursts meets a fault.
type which int

const (
	firsts  which = iota // a target's very first commands do, before anything went well
	seconds              // the target can warm up
)

// bursts are those of so many requests, 1 or more.
type bursts struct {
	meeting which
	size    int
}

// meet says whether the request with this index is in a burst that meets the fault.
func (b bursts) meet(index int) bool { return index/b.size%2 == int(b.meeting) }

// inBursts counts the requests of a fault that comes and goes with their bursts. The lock is
// its owner's to take, and guards what else a burst changes.
type inBursts struct {
	sync.Mutex
	bursts

	begun int  // how many requests have come
	on    bool // whether the last of them meets the fault
}

// next counts a request: it says in which burst it is, from 0, and whether the fault has
// to come or go before it is sent.
func (b *inBursts) next() (burst int, changes bool) {
	before := b.on
	b.on = b.meet(b.begun)
	b.begun++
	return b.last(), b.on != before
}

// last is the burst of the last request.
func (b *inBursts) last() int { return (b.begun - 1) / b.size }
