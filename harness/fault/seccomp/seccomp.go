// Package seccomp decides from outside who of a target's threads gets a
// child first. The kernel asks this process before each wait4 and waitid of
// the sandbox (seccomp_unotify(2)); a call can be let go at once, or held until
// the other side is done. The target is any binary, unmodified.
//
// Hub is the front door: it takes the listeners that launchers hand over, and
// has a Supervisor for each of them. A held call always comes free: by its
// condition, by its limit, or with the Hub.
//
// What it cannot do: it sees calls when they enter and not when they return,
// so "taken and not yet published" is out of its reach; and a call that sleeps
// in the kernel already cannot be held any more.
package seccomp

import (
	"time"
)

// Rule says who is to be first. The zero Rule holds nothing.
type Rule int

const (
	// Off lets every call go and counts.
	Off Rule = iota
	// ReaperWins holds a call that blocks for one child until that child has
	// been reaped by another call. A call that does not block is never held: it
	// is how a reaper looks for one child.
	ReaperWins
	// WaiterWins holds a call that takes any child while there is a zombie, for
	// someone who waits for just that one to take it.
	WaiterWins
)

// String is the rule's name, as scenarios and reports have it.
func (r Rule) String() string {
	return []string{"off", "reaper-wins", "waiter-wins"}[r]
}

// Policy is a Rule and its limit.
type Policy struct {
	Rule Rule
	// Limit is how long a child may stay a zombie on account of a held call;
	// zero means DefaultLimit. A hold that reaches it is let go and counted.
	Limit time.Duration
}

// DefaultLimit is far above the second after which a reaper that missed a
// SIGCHLD looks again, and below the deadline of any trial.
const DefaultLimit = 10 * time.Second

// String is the rule's.
func (p Policy) String() string { return p.Rule.String() }

func (p Policy) limit() time.Duration {
	if p.Limit > 0 {
		return p.Limit
	}
	return DefaultLimit
}

// Counts is what a Supervisor has seen since its policy was set. A call that a
// signal interrupts enters again and is counted again, unless it was held.
type Counts struct {
	// Calls of the target itself, by what they are for; see side. A peek that
	// does not block is no one's business here: the launcher's filter lets it go.
	Waits, Looks, Takes, Peeks, Others int64
	// ByPidfd are those among them that named their child by a pidfd.
	ByPidfd int64
	// Foreign calls are those of other processes in the sandbox, such as the
	// commands' shells. They are never held.
	Foreign int64

	// Held calls that were let go again, and for how long they were held.
	Held              int64
	HeldFor, HeldMost time.Duration

	// ReaperFirst and Late are waits that met a child which was gone: after a
	// hold, and without one.
	ReaperFirst, Late int64
	// Reaped counts children that were there at a look or a take and have been
	// reaped since, where ReaperWins found no one who could come second.
	Reaped int64
	// WaiterFirst counts takes that were held for someone's zombie, Spared those
	// that were told "none" without the kernel's having been asked.
	WaiterFirst, Spared int64
	// LimitHits counts holds that were let go because of the limit.
	LimitHits int64
	// Cut counts calls that do not block and that a signal came to before they were answered,
	// and calls of anybody's that went before they were read. The kernel makes the first fail
	// with EINTR if a handler without SA_RESTART took the signal (signal(7)), as they never do
	// where no one is asked.
	Cut int64
	// Unseen counts calls of which it could not be told whom they are about,
	// and Why the last of them was one.
	Unseen int64
	Why    string
}

// Own is how many calls of the target itself were seen.
func (c Counts) Own() int64 { return c.Waits + c.Looks + c.Takes + c.Peeks + c.Others }

func (c *Counts) add(call call) {
	if call.pidfd {
		c.ByPidfd++
	}
	switch call.side {
	case wait:
		c.Waits++
	case look:
		c.Looks++
	case take:
		c.Takes++
	case peek:
		c.Peeks++
	default:
		c.Others++
	}
}

func (c *Counts) answered(e *entry, verdict answer, now time.Time) {
	if e.tally != nil {
		*e.tally++
	}
	if verdict == none || verdict == childless {
		c.Spared++
	}
	if e.held {
		took := now.Sub(e.since)
		c.Held++
		c.HeldFor += took
		c.HeldMost = max(c.HeldMost, took)
	}
}

// Hits is how often the rule established its order for a child.
//
// For ReaperWins that depends on who the reaper is. Where any child is taken
// by one call and single children are waited for by another, it is every wait
// that met a child which was gone. A target with one kind of call only has no
// one who could come second: then it is every child that was reaped.
//
// For WaiterWins it is every take that was held for a waiter, or came when the waiter had its
// child already and was told "none": on a slow machine that is how all of them go.
func (c Counts) Hits(r Rule) int64 {
	switch {
	case r == Off:
		return c.Waits + c.Looks + c.Takes + c.Peeks + c.Others
	case r == WaiterWins && c.Waits > 0:
		return max(c.WaiterFirst, c.Spared)
	case r == WaiterWins:
		return c.WaiterFirst
	case c.Waits == 0 && (c.Looks == 0 || c.Takes == 0):
		return c.Reaped
	}
	return c.ReaperFirst + c.Late
}
