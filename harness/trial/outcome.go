package trial

import "strings"

// Outcome is what became of one trial.
type Outcome string

// The zero Outcome means that the trial was not judged, which clears nobody.
const (
	OK     Outcome = "ok"     // the code and the output that the command was built to give
	Lost   Outcome = "lost"   // -1, or the target's own word for "unknown"
	Wrong  Outcome = "wrong"  // another code than the command gave: worse than lost
	Output Outcome = "output" // the right code with truncated or another command's bytes
	Error  Outcome = "error"  // an HTTP error where a result was due
	Hung   Outcome = "hung"   // no answer by the deadline
)

// Want is what a command was built to give.
type Want struct {
	// Code is the exit code, 0..255.
	Code int
	// Output is compared byte for byte unless AnyOutput is set.
	Output string
	// AnyOutput accepts whatever the command printed.
	AnyOutput bool
	// NoText says that Output is no text, which many a target cannot tell byte by byte.
	NoText bool
	// PrefixOnly lets the output go on after Output.
	PrefixOnly bool
	// OrEnds accepts, where the target may cut the output, that it ends so instead.
	OrEnds string
	// Merged says that Output is of two streams in the order written; a target
	// that keeps them apart cannot give that back.
	Merged bool
	// Streams are what of a merged Output went to standard output and to standard error,
	// where the command wrote to each in turn.
	Streams [2]string
	// Parts say which words of the command's kind Output comes from, in order; nil where all
	// of it comes from all of them.
	Parts []Part
	// Trimmed compares without the white space at both ends.
	Trimmed bool
	// StartError accepts, instead of the code, that the target says there is no
	// such program.
	StartError bool
	// Timeout wants the target to cut the command short and to say so.
	Timeout bool
	// SoFar wants, of a command that was cut short, what it had written by then.
	SoFar bool
	// HangUp wants the client to have gone before the answer.
	HangUp bool
	// MayTimeout accepts that instead of the code.
	MayTimeout bool
	// Anything accepts whatever the target answers, also that the connection breaks.
	Anything bool
	// NotRun wants the target to say, in whatever words, that it did not run
	// the command; MayNotRun accepts that instead of the code.
	NotRun, MayNotRun bool
	// MayRefuse accepts that the target says it lacks the means to start the
	// command, and nothing else in the command's stead.
	MayRefuse bool
}

// InPlaceOfCode is what is wanted in the place of an exit code, in words; empty where that is
// a code.
func (w Want) InPlaceOfCode() string {
	switch {
	case w.Timeout:
		return "the word for a timeout"
	case w.HangUp:
		return "no answer, since the client had gone"
	case w.NotRun:
		return "that it cannot be run"
	}
	return ""
}

// output says whether what came back is what the command wrote.
func (w Want) output(got string) bool {
	want := w.Output
	if w.Trimmed {
		want, got = strings.TrimSpace(want), strings.TrimSpace(got)
	}
	return w.AnyOutput || got == want || w.PrefixOnly && strings.HasPrefix(got, want) ||
		w.OrEnds != "" && strings.HasSuffix(got, w.OrEnds)
}

// Part is so much of an output, and the word that it comes from.
type Part struct {
	Word  string
	Bytes int
}

// Part is the word from which the first byte comes that is not as wanted; empty where none
// is known for it.
func (w Want) Part(got string) string {
	at := firstDifference(w.Output, got)
	for _, p := range w.Parts {
		if at -= p.Bytes; at < 0 {
			return p.Word
		}
	}
	return ""
}

// Answer is what came back, freed of the dialect in which it was said.
// The zero Answer is an error without a message.
type Answer struct {
	// Known is set when the target reported an exit code; Code is it.
	Known bool
	Code  int
	// Unknown is set when the target said that it does not know the code.
	Unknown bool
	// TimedOut is set when the target said that it cut the command short.
	TimedOut bool
	// HungUp is set when the client did not wait for the answer.
	HungUp bool
	// Refused is set when the target said that it lacks the means to start the
	// command.
	Refused bool
	// NotStarted is set when the target said that there is no such program.
	NotStarted bool
	// Failed is set when the target answered with an HTTP error.
	Failed bool
	// Garbled is set when what was answered goes on after its end: it is no one answer,
	// whatever its first part says.
	Garbled bool
	// Status is the HTTP status of what was answered last; 0 without one.
	Status int
	// Hung is set when nothing came back by the deadline.
	Hung   bool
	Output string
	// Message is the target's or the transport's own explanation.
	Message string
}

// Classify judges one answer. The second result says why the outcome is not
// ok, in words; it is empty for OK.
//
// A target may use one word for two things, such as 124 for a timeout and for a
// command that said so itself: what is wanted is looked for first.
func Classify(want Want, got Answer) (Outcome, string) {
	outcome, why := classify(want, got)
	// What the target itself said is what its maintainer looks for first.
	if outcome != OK && got.Message != "" && !strings.Contains(why, got.Message) &&
		!strings.HasSuffix(got.Message, "HTTP 200") {
		why += ": " + got.Message
	}
	return outcome, why
}

func classify(want Want, got Answer) (Outcome, string) {
	switch {
	case got.Hung:
		return Hung, got.Message
	case got.Garbled && !want.Anything:
		return Error, got.Message
	case want.SoFar && got.TimedOut && !want.output(got.Output):
		return Output, "what it wrote before its timeout: " +
			outputMismatch(want.Output, got.Output)
	case want.word(got):
		return OK, ""
	case want.code() && got.Known && got.Code == want.Code:
		if !want.output(got.Output) {
			return Output, want.mismatch(got.Output)
		}
		return OK, ""
	case got.Unknown:
		return Lost, "the target says that it does not know the exit code"
	case got.TimedOut != want.Timeout:
		return Error, timeoutMismatch(want)
	case got.HungUp != want.HangUp:
		return Error, "the answer came before the client hung up, or the other way round"
	case !got.Known:
		return Error, got.Message
	case want.NotRun:
		return Wrong, "an exit code for a command that cannot be run"
	}
	return Wrong, "another exit code than the command gave" + want.beside(got.Output)
}

// rightOutput is said of a wrong code where the output tells that all else went well.
const rightOutput = ", with the right output"

// CodeAlone says whether the trial's exit code was wrong, and its output right.
func (r Record) CodeAlone() bool {
	return r.Outcome == Wrong && strings.Contains(r.Detail, rightOutput)
}

// beside says what a command with a wrong code wrote.
func (w Want) beside(output string) string {
	switch {
	case output == "" || w.AnyOutput:
		return ""
	case w.output(output):
		return rightOutput
	}
	return "; it wrote " + excerpt(output, 0)
}

// word says whether the target said, or the client did, what is wanted in the
// place of an exit code.
func (w Want) word(got Answer) bool {
	return w.Anything || (w.Timeout || w.MayTimeout) && got.TimedOut || w.HangUp && got.HungUp ||
		w.MayRefuse && got.Refused || w.StartError && got.NotStarted ||
		(w.NotRun || w.MayNotRun) && got.notRun()
}

// notRun says whether the target said, in whatever words, that it did not run
// the command. The word may be a number, which reads as an exit code as well.
func (a Answer) notRun() bool {
	return !a.Unknown && !a.TimedOut && (a.NotStarted || a.Refused || a.Failed && !a.Known)
}

// code says whether an exit code is wanted at all.
func (w Want) code() bool { return !w.Timeout && !w.HangUp && !w.NotRun }

func timeoutMismatch(want Want) string {
	if want.Timeout {
		return "no timeout reported where the command outlives its limit"
	}
	return "timeout reported for a command that needed none"
}
