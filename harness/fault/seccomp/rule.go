package seccomp

import (
	"errors"
	"time"
)

// entry is one call that waits for its answer.
type entry struct {
	call
	id     uint64
	thread uint32
	since  time.Time
	held   bool
	// child is whom the call is about, once a rule has asked.
	child *child
	// tally is what to count once the call has really been let go.
	tally *int64
}

// answer is what becomes of an entry.
type answer int

const (
	goOn      answer = iota // the kernel runs the call
	hold                    // ask again later
	none                    // the call returns 0: no child has ended
	childless               // the call fails with ECHILD: there is no child
)

// rule judges an entry when it comes and from then on until it is let go.
type rule interface {
	judge(e *entry, now time.Time) answer
}

func (p Policy) rule(f family, c *Counts, seen census) rule {
	switch p.Rule {
	case ReaperWins:
		return &reaperWins{family: f, counts: c, census: seen, limit: p.limit()}
	case WaiterWins:
		return &waiterWins{family: f, counts: c, limit: p.limit(), died: map[int]moment{}, awaited: map[int]bool{}}
	}
	return off{}
}

// off holds nothing.
type off struct{}

func (off) judge(*entry, time.Time) answer { return goOn }

// unseen counts a call of which nothing could be learned.
func (c *Counts) unseen(err error) answer {
	if !errors.Is(err, errNotChild) {
		c.Unseen++
		c.Why = err.Error()
	}
	return goOn
}
