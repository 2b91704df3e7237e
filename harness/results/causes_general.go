package results

import (
	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// wrongCode is believed of what no race is known to do: a daemon may have one code for all
// that it has lost.
var wrongCode = Cause{
	ID: "wrong-code", Level: trial.Must,
	Title: "A command is answered with an exit code that is not its own.",
	Look: "A status that is decoded wrongly, another command's, or 0 for one that a second " +
		"waiter took: Python's subprocess answers 0 to ECHILD.",
	explains: func(e evidence.Evidence) bool { return e.Is(trial.Wrong) },
}

// kernel's default for a pipe, and the least that a limit of outputs is believed to be.
const pipeBytes = 64 << 10

// limited is the cause of an output that ends where a limit may be.
const limited = "output-limited"

// outputCut is a choice where the limit is larger than a pipe, and a race below.
var outputCut = Cause{
	ID: "output-cut", Level: trial.Must,
	Title: "The end of a command's output is missing.",
	Look: "The last bytes are still in the pipe when the command ends: read the pipe to its end " +
		"before you answer.",
	explains: func(e evidence.Evidence) bool { return e.Is(trial.Output) && e.CutAt() >= 0 },
}

// noAnswer is the cause of what nothing more is known of.
const noAnswer = "no-answer"

// generalCauses explain trials by their outcome.
var generalCauses = []Cause{
	{
		ID: limited, Level: trial.Must, Choice: "limits-output",
		Title: "Output is cut at a limit.",
		Look: "A limit is a choice: declare it in the dialect, " +
			"and say in the answer that it was met.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Output) && e.CutAt() >= pipeBytes
		},
	},
	outputCut,
	{
		ID: "bytes-changed", Level: trial.Should, Choice: "tells-text-alone",
		Title: "Output that is no text comes back changed, in a place that is for bytes.",
		Look: "It was made text before it was encoded: Node.js and Python decode by default, and " +
			"Rust's from_utf8_lossy and Go's JSON put U+FFFD for what they cannot read.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Output) && e.Of(noText...) && e.All()
		},
	},
	{
		ID: "output-changed", Level: trial.Must,
		Title: "A command's output is not what it wrote.",
		Look: "Text that is decoded piece by piece, a terminal in between, " +
			"or another command's bytes.",
		explains: func(e evidence.Evidence) bool { return e.Is(trial.Output) },
	},
	{
		ID: "end-missed", Level: trial.Must,
		Title: "The answer to a command never comes.",
		Look: "One SIGCHLD may stand for the end of many children: " +
			"after one that comes while the reaper works, the reaper must look again. Or a child ends " +
			"before it is registered, a timer begins too late, or all input is written before any " +
			"output is read. If `missed` is in the order: a flag that a handler sets is not seen by the " +
			"call that sleeps next, but a pipe, a signalfd or ppoll's mask is.",
		explains: func(e evidence.Evidence) bool { return e.Is(trial.Hung) },
	},
	wrongCode.otherwise(reaperHad,
		func(e evidence.Evidence) bool { return e.Is(trial.Wrong) && e.SameCode() }),
	wrongCode,
	{
		ID: "code-lost", Level: trial.Must, under: reaperHad,
		Title: "The exit code of a command is lost.",
		Look: "The run does not show who took it: look for a second waiter, " +
			"and for errors of waitid.",
		explains: func(e evidence.Evidence) bool { return e.Is(trial.Lost) },
	},
	{
		ID: "error-for-a-code", Level: trial.Should,
		Title: "A command that the shell refuses is answered with an error.",
		Look: "A shell that cannot execute a program ends with 126, or 127 where there is none: " +
			"that is the command's exit code, and no failure to start it.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Error) && e.Of("not-executable", "not-found")
		},
	},
	{
		ID:       noAnswer,
		Title:    "A command is answered with an error, or not at all.",
		Look:     "What the target said is in the example below.",
		explains: func(e evidence.Evidence) bool { return e.Is(trial.Error) },
	},
}

// unknownCause is what no cause explains: a check that is new, say.
var unknownCause = Cause{
	ID:       "unexplained",
	Title:    "A promise about the sandbox is not kept.",
	Look:     "The check says what was looked at.",
	explains: func(evidence.Evidence) bool { return true },
}
