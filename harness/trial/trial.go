// Package trial is the judge: it says what one request's answer was worth,
// what an arm's recording proves, and what a scenario's arms prove together.
//
// Read and Judge are the front door. The package is pure: it opens no file,
// no connection and no container, so that a recording can be judged again
// years later with the same result. It refuses to guess: whatever is missing
// from a recording makes its scenario inconclusive.
package trial

import (
	"fmt"
	"time"
)

// Scenario names one way to go wrong, which is looked for.
type Scenario struct {
	// ID is its slug everywhere: a file's name, a folder's and a row's.
	ID string `json:"id"`
	// Text is what it promises, in a sentence.
	Text string `json:"text"`
	// Level is that of a failure which says no more than that the scenario failed; empty
	// in runs that are older than levels.
	Level Level `json:"level,omitempty"`
}

// Record is one trial: a line of a recording, written as the trial ends.
type Record struct {
	// Index is the trial's place in the plan; seed and index give the command.
	Index int `json:"i"`
	// Kind names the shape of the command, such as "instant" or "pipeline".
	Kind string `json:"kind"`
	// Want and Got are exit codes; Got is nil where none was reported.
	Want int  `json:"want"`
	Got  *int `json:"got,omitempty"`

	Outcome Outcome `json:"outcome"`
	// AtMicros is when the request was sent, counted from the arm's start.
	AtMicros int64 `json:"atUs"`
	// Micros is how long the answer took.
	Micros int64 `json:"us"`
	// Order names the events of an order that was tried, as --order takes them; empty for a
	// command.
	Order string `json:"order,omitempty"`
	// Walk counts the random walks of an arm that tries orders, from 1 in each kind; 0 for
	// what is none.
	Walk int `json:"walk,omitempty"`
	// Sent, Command, Wanted, Beside and Detail are kept for trials that are not ok. Sent is by
	// the wall clock, to find the trial in the target's log. Beside is what was asked for beside
	// the command, such as a timeout, in words.
	Sent    time.Time `json:"sent,omitzero"`
	Command string    `json:"command,omitempty"`
	// Wanted is what was wanted in the place of an exit code, in words; empty for a code.
	Wanted string `json:"wanted,omitempty"`
	Beside string `json:"beside,omitempty"`
	Detail string `json:"detail,omitempty"`
	// Part is the word of Kind from which the first byte of an output comes that was not as
	// wanted; empty where it comes from all of them, or from none.
	Part string `json:"part,omitempty"`
	// Steps are those of an order that was not ok, each by its turn.
	Steps []Step `json:"steps,omitempty"`
}

// Lanes are who does something in an order, from the outside in.
var Lanes = []string{"client", "command", "kernel", "reaper", "waiter", "handler"}

// Step is one event of an order that was let go when everybody was held or asleep.
type Step struct {
	// Lane is who does it, one of Lanes.
	Lane string `json:"lane"`
	Name string `json:"name"`
	// Text says what it is, and before which older ones it was let go.
	Text string `json:"text"`
}

// Bad says whether the trial misbehaved, or was never judged.
func (r Record) Bad() bool { return r.Outcome != OK }

// Check is a promise about the sandbox as a whole, looked at once: no zombies
// left, as many open files as before.
type Check struct {
	Name string `json:"check"`
	Want string `json:"want"`
	Got  string `json:"got"`
	OK   bool   `json:"ok"`
}

// outputMismatch says where two outputs part, without printing 64 KiB.
func outputMismatch(want, got string) string {
	at := firstDifference(want, got)
	return fmt.Sprintf("output differs at byte %d: %d bytes wanted %s, got %d bytes %s",
		at, len(want), excerpt(want, at), len(got), excerpt(got, at))
}

func firstDifference(want, got string) (at int) {
	n := min(len(want), len(got))
	for at < n && want[at] == got[at] {
		at++
	}
	return at
}

func excerpt(s string, at int) string {
	const window = 24
	return fmt.Sprintf("%.*q", window+2, s[max(0, at-4):min(len(s), at+window)])
}
