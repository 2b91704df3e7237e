package tracer

import (
	"time"

	"github.com/reapcheck/reapcheck/harness/explore/event"
)

// What the harness asks of the tracer, one JSON line for each, and one in answer.
const (
	opSeize   = "seize"   // trace a process from its next execve on
	opBegin   = "begin"   // stop the clock, hold events, and number commands from 1
	opRest    = "rest"    // wait until everybody is held or asleep
	opRelease = "release" // let one held event go
	opAdvance = "advance" // move the clock
	opSet     = "set"     // set the wall clock
	opTerm    = "term"    // send SIGTERM to the target
	opEnd     = "end"     // hold nothing any more; the clock stays where it is
)

type request struct {
	Op string `json:"op"`
	// PID is whom to seize; Kill says that it must not outlive the tracer.
	PID  int  `json:"pid,omitempty"`
	Kill bool `json:"kill,omitempty"`
	// ID is the event to release.
	ID int `json:"id,omitempty"`
	// By is how far to move the clock, or to set the wall clock.
	By time.Duration `json:"by,omitempty"`
	// Limit bounds the wait for a rest, and Clients are what it is a rest after.
	Limit time.Duration `json:"limit,omitempty"`
	Clients
	// Watch are events beside those that there always are.
	Watch Watch `json:"watch,omitzero"`
}

// Clients are what the clients have done.
type Clients struct {
	// Arrived is how many bytes the target must have read from them since it was seized,
	// and Gone how many of them it must have seen go; unless it does nothing for a while.
	Arrived int64 `json:"arrived,omitempty"`
	Gone    int   `json:"gone,omitempty"`
	// Acts is how often one of them has said something, or has gone.
	Acts int `json:"acts,omitempty"`
}

// Watch are events that are held only where they are asked for: each of them makes many
// more orders.
type Watch struct {
	// Data are reads of a command's output that gave bytes.
	Data bool `json:"data,omitempty"`
	// Empty are waits for any child that have found none.
	Empty bool `json:"empty,omitempty"`
	// Orphans are the deaths of what a command has started itself, and may outlive it.
	Orphans bool `json:"orphans,omitempty"`
}

type reply struct {
	Error string `json:"error,omitempty"`
	// Declined says that the error is no defect of anybody: this target cannot be traced.
	Declined bool  `json:"declined,omitempty"`
	Rest     *Rest `json:"rest,omitempty"`
}

// Rest is a moment at which everybody was held or asleep.
type Rest struct {
	// Held are the events that wait to be let go, in an order that does not depend on
	// who was a microsecond earlier.
	Held []Held `json:"held"`
	// Timers are how long the sleepers that have a limit still sleep, the next one
	// first.
	Timers []time.Duration `json:"timers,omitempty"`
	// Received and Sent are the bytes that the target has read from its clients and
	// written to them since it was seized. Left is how many clients it saw go, Closed
	// how many connections it has closed itself.
	Received int64 `json:"received"`
	Sent     int64 `json:"sent"`
	Left     int   `json:"left"`
	Closed   int   `json:"closed"`
	// Deaf says that the target does not look whether its clients are still there: it did
	// nothing when one went.
	Deaf bool `json:"deaf,omitempty"`
	// Stops are how often a thread was stopped since begin.
	Stops int `json:"stops"`
	// Threads and Commands are how many threads the target has and how many processes
	// it has started since begin.
	Threads  int `json:"threads"`
	Commands int `json:"commands"`
	// PIDs are the numbers of those processes as the target counts, in the order of their
	// starts.
	PIDs []int `json:"pids,omitempty"`
	// Last is the number of the newest process that can be used again: an orphan's, or the
	// last command's. Free says that no process has it any more.
	Last int  `json:"last,omitempty"`
	Free bool `json:"free,omitempty"`
	// Rivals are how often a call took a command's status that did not wait for that command
	// alone until its end.
	Rivals int `json:"rivals,omitempty"`
	// Forked are how many of those processes have executed no program so far.
	Forked int `json:"forked,omitempty"`
	// Untimed names calls by which real time gets into the target.
	Untimed []string `json:"untimed,omitempty"`
	// Restless says why there was no rest within the limit; empty where there was.
	Restless string `json:"restless,omitempty"`
	// Ended says how the target ended; empty while it lives.
	Ended string `json:"ended,omitempty"`
}

// Held is one event that waits to be let go.
type Held struct {
	ID   int        `json:"id"`
	Name event.Name `json:"name"`
	// Thread is which of the target's threads waits with it; 0 for none.
	Thread int `json:"thread,omitempty"`
}
