// Package event names what a daemon that runs commands can be told, and by which
// stop of one of its threads the tracer knows it. Orders are made of these names.
//
// Name is the front door. CallOf sorts system calls into the few kinds that matter.
// The package is pure.
package event

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Kind is what happens.
type Kind string

// What is held, and let go when its turn comes.
const (
	// Exit is a command's death.
	Exit Kind = "exit"
	// Signal is SIGCHLD reaching the daemon.
	Signal Kind = "sigchld"
	// Missed is SIGCHLD reaching a daemon of one thread between its last look and the call
	// in which it sleeps: what its handler leaves to others is not looked at then.
	Missed Kind = "missed"
	// Start is the daemon learning that its command runs.
	Start Kind = "start"
	// Peek and Take are a call that waits for any child and has found a command: it
	// looked, or it took the status away.
	Peek Kind = "peek"
	Take Kind = "take"
	// Empty is such a call that has found no child that has ended.
	Empty Kind = "empty"
	// Orphan is the death of a process that a command has started.
	Orphan Kind = "orphan"
	// Wait and Waited are the beginning and the end of a call that waits for one
	// command.
	Wait   Kind = "wait"
	Waited Kind = "waited"
	// Data and EOF are a read of a command's output that gave bytes, and its end.
	Data Kind = "data"
	EOF  Kind = "eof"
	// Time is the next timer's end.
	Time Kind = "time"
	// Ask is a client's request, HangUp its going away before the answer, Term
	// SIGTERM reaching the daemon.
	Ask    Kind = "ask"
	HangUp Kind = "hangup"
	Term   Kind = "sigterm"
	// Ahead and Back are the wall clock being set, forward or back.
	Ahead Kind = "ahead"
	Back  Kind = "back"
)

// rank puts events that were seen at the same rest into an order that does not
// depend on who was a microsecond earlier.
var rank = map[Kind]int{
	Exit: 0, Orphan: 1, Signal: 2, Missed: 3, Start: 4, Peek: 5, Take: 6, Empty: 7, Wait: 8,
	Waited: 9, Data: 10, EOF: 11, HangUp: 12, Term: 13, Ahead: 14, Back: 15, Ask: 16, Time: 17,
}

// Name is one event: what, and whose. Names of one rest differ.
type Name struct {
	Kind Kind
	// Command counts from 1 in the order of their starts; 0 for what is nobody's.
	Command int
	// Failed says that the call came back with an error: for Waited that there is no
	// such child, for Start that the program could not be executed.
	Failed bool
	// Millis is how far the clock moves, of Time.
	Millis int
	// Again tells two events of one name apart: 0 for the first.
	Again int
}

// String is the name as an order has it: exit, waited!, take.2, time200, wait.1'.
func (n Name) String() string {
	text := string(n.Kind)
	if n.Kind == Time {
		text += strconv.Itoa(n.Millis)
	}
	if n.Command > 1 {
		text += "." + strconv.Itoa(n.Command)
	}
	if n.Failed {
		text += "!"
	}
	return text + strings.Repeat("'", n.Again)
}

// Parse reads what String wrote.
func Parse(text string) (Name, error) {
	rest := strings.TrimRight(text, "'")
	n := Name{Again: len(text) - len(rest)}
	rest, n.Failed = strings.CutSuffix(rest, "!")
	word, number, numbered := strings.Cut(rest, ".")
	var err error
	if numbered {
		n.Command, err = strconv.Atoi(number)
	}
	if digits, ok := strings.CutPrefix(word, string(Time)); ok && err == nil {
		word = string(Time)
		n.Millis, err = strconv.Atoi(digits)
	}
	n.Kind = Kind(word)
	if _, known := rank[n.Kind]; !known || err != nil {
		return n, fmt.Errorf("unknown event %q: a name is one of exit, orphan, sigchld, "+
			"missed, start, peek, take, empty, wait, waited, data, eof, time200, ask, "+
			"hangup, sigterm, ahead and back, with .2 behind it for the second command", text)
	}
	if n.Command == 0 && n.Kind.owned() {
		n.Command = 1
	}
	return n, nil
}

// owned says whether an event is always some command's.
func (k Kind) owned() bool {
	switch k {
	case Signal, Missed, Time, Term, Ahead, Back, Empty:
		return false
	}
	return true
}

// Reaper says whether an event is what a wait for any child has come to.
func (k Kind) Reaper() bool { return k == Peek || k == Take || k == Empty }

// Polls says whether an event alone brings a target no news: it looks after its commands
// once in a while.
func (k Kind) Polls() bool { return k == Wait || k == Empty }

// Less is the order of events that were seen at the same rest.
func (n Name) Less(other Name) bool {
	return cmp.Or(
		cmp.Compare(rank[n.Kind], rank[other.Kind]),
		cmp.Compare(n.Command, other.Command),
		cmp.Compare(n.String(), other.String()),
	) < 0
}

// ParseOrder reads names with white space between them.
func ParseOrder(text string) ([]Name, error) {
	var order []Name
	for _, word := range strings.Fields(text) {
		n, err := Parse(word)
		if err != nil {
			return nil, err
		}
		order = append(order, n)
	}
	return order, nil
}

// Order is the names with a space between them.
func Order(names []Name) string {
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = n.String()
	}
	return strings.Join(words, " ")
}
