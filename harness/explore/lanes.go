package explore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/reapcheck/reapcheck/harness/explore/event"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// laneOf is the index in trial.Lanes.
var laneOf = map[event.Kind]int{
	event.Ask: 0, event.HangUp: 0,
	event.Exit: 1, event.Orphan: 1,
	event.Signal: 2, event.Missed: 2, event.Time: 2, event.Term: 2, event.Ahead: 2, event.Back: 2,
	event.Empty: 3, event.Peek: 3, event.Take: 3,
	event.Wait: 4, event.Waited: 4,
	event.Start: 5, event.Data: 5, event.EOF: 5,
}

// meanings say what an event is, in a few words.
var meanings = map[event.Kind]string{
	event.Ask:    "asks for command %d",
	event.HangUp: "the client of command %d goes away",
	event.Exit:   "command %d ends",
	event.Orphan: "a process that command %d has started ends",
	event.Signal: "SIGCHLD arrives",
	event.Missed: "SIGCHLD arrives just before the call in which the daemon sleeps, " +
		"which does not see it",
	event.Term:   "SIGTERM arrives",
	event.Ahead:  "the wall clock is set a day ahead",
	event.Back:   "the wall clock is set back by a day",
	event.Time:   "%d ms pass",
	event.Peek:   "a wait for any child sees command %d",
	event.Take:   "a wait for any child takes command %d's status",
	event.Empty:  "a wait for any child finds none that has ended",
	event.Wait:   "a wait for command %d begins",
	event.Waited: "the wait for command %d returns",
	event.Start:  "the daemon learns that command %d runs",
	event.Data:   "reads output of command %d",
	event.EOF:    "reads the end of command %d's output",
}

// Meaning says in words what an event of an order is.
func Meaning(n event.Name) string {
	text := meanings[n.Kind]
	switch {
	case n.Kind == event.Time:
		return fmt.Sprintf(text, n.Millis)
	case strings.Contains(text, "%d"):
		text = fmt.Sprintf(text, n.Command)
	}
	switch {
	case n.Failed && n.Kind == event.Waited:
		return text + " without it: no such child"
	case n.Failed && n.Kind == event.Start:
		return text[:len(text)-len("runs")] + "could not be executed"
	}
	return text
}

// Drawn is a run's events as a recording keeps them.
func (r Run) Drawn() (steps []trial.Step) {
	for _, step := range r.Steps {
		name, err := event.Parse(step.Chosen)
		if err != nil {
			continue
		}
		steps = append(steps, trial.Step{
			Lane: trial.Lanes[laneOf[name.Kind]], Name: step.Chosen,
			Text: Meaning(name) + passedOver(step.Options, step.Chosen),
		})
	}
	return steps
}

// Picture draws a run as one column for each who takes part, time downwards. An event
// that passed over older ones says how many.
func (r Run) Picture() string {
	const width = 10
	var b strings.Builder
	for _, lane := range trial.Lanes {
		fmt.Fprintf(&b, "%-*s", width, lane)
	}
	fmt.Fprintln(&b)
	for _, step := range r.Drawn() {
		lane := slices.Index(trial.Lanes, step.Lane)
		empty := fmt.Sprintf("%-*s", width, "|")
		fmt.Fprintf(&b, "%s%-*s%s%s\n", strings.Repeat(empty, lane), width, step.Name,
			strings.Repeat(empty, len(trial.Lanes)-lane-1), step.Text)
	}
	for i, outcome := range r.Outcomes {
		fmt.Fprintf(&b, "answer to command %d: %s", i+1, outcome)
		if r.Whys[i] != "" {
			fmt.Fprintf(&b, ": %s", r.Whys[i])
		}
		fmt.Fprintln(&b)
	}
	if r.Ended != "" {
		fmt.Fprintf(&b, "the target ended: %s\n", r.Ended)
	}
	return b.String()
}

func passedOver(options []string, chosen string) string {
	for i, name := range options {
		if name == chosen && i > 0 {
			return ", before " + strings.Join(options[:i], ", ")
		}
	}
	return ""
}
