package results

import "github.com/reapcheck/reapcheck/harness/trial"

// What has a name here stands in causes.go twice: by itself, and as what another cause
// looks like otherwise.

// unknownForSignals is a choice where nothing else loses codes.
var unknownForSignals = Cause{
	ID: "unknown-code-for-signals", Level: trial.Should, Choice: "unknown-code-for-signals",
	Title: "A command that a signal ended has no exit code.",
	Look: "Go's ExitCode says -1 for it, and Python's returncode -n. Shells say 128 and the " +
		"signal's number, which callers know.",
	explains: func(e Evidence) bool {
		lost, ran := e.count(trial.Lost, bySignal...)
		return e.is(trial.Lost) && e.of(bySignal...) && lost == ran && ran >= enough &&
			!e.reaperFirst()
	},
}

// anotherOwner is believed of a wrong code, and of what else goes wrong under its fault
// where no race is known that does the same.
var anotherOwner = Cause{
	ID: "another-owner", Level: trial.Must,
	Title: "A process ID that was given out again is taken for its old owner.",
	Look: "Whatever is kept by process ID (a status, a timer, a clean-up) has to go before the " +
		"child is reaped, or to be kept by something that is not used again, such as a pidfd.",
	explains: func(e Evidence) bool { return e.is(trial.Wrong) && e.under("next PID") },
}

// noWordForNoRoom is believed of errors; a race loses codes there as elsewhere.
var noWordForNoRoom = Cause{
	ID: "no-word-for-no-room", Level: trial.Should,
	Title: "What cannot be started for want of processes or files is not refused in words.",
	Look: "EAGAIN of fork and EMFILE are over in a moment: answer \"try again\", HTTP 503, and " +
		"no exit code.",
	explains: func(e Evidence) bool {
		return e.is(trial.Error) && e.under("room for", "no more open files")
	},
}

// stranded is believed of answers that are no codes; a race loses one there too.
var stranded = Cause{
	ID: "stranded", Level: trial.Should, Choice: "stops-at-once",
	Title: "SIGTERM strands the commands that run, or the daemon ends with another status.",
	Look:  "Stop taking commands, answer for those that run, and exit 0 (docker stop gives 10 s).",
	explains: func(e Evidence) bool {
		return e.under(stopSignals...) && (e.is(trial.Error, trial.Hung) ||
			e.check("target") && e.Check.Got != runs)
	},
}

// inputChanged is believed of what commands read. One whose end is missed may have been
// missed for another reason, which shows elsewhere too.
var inputChanged = Cause{
	ID: "input-changed", Level: trial.Must,
	Title: "A command's input is not as it was sent: cut, changed, another's, or without an end.",
	Look: "Write it in a thread or task of its own, while the output is read, until all of it is " +
		"written. Close both ends. EPIPE is no error, and no answer waits for who does not read.",
	explains: func(e Evidence) bool {
		return e.is(trial.Output) && e.of("given-") && e.cutAt() < pipeBytes
	},
}

// wrongCode is believed of what no race is known to do: a daemon may have one code for all
// that it has lost.
var wrongCode = Cause{
	ID: "wrong-code", Level: trial.Must,
	Title: "A command is answered with an exit code that is not its own.",
	Look: "A status that is decoded wrongly, another command's, or 0 for one that a second " +
		"waiter took: Python's subprocess answers 0 to ECHILD.",
	explains: func(e Evidence) bool { return e.is(trial.Wrong) },
}
