package results

import (
	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Causes with a name are those that the lists have more than once.

// otherwise is the same cause where its evidence is weaker than that of another. A cause that
// is listed twice for this has a name.
func (c Cause) otherwise(under string, explains func(evidence.Evidence) bool) Cause {
	c.under = under
	return c.alsoWhere(explains)
}

// alsoWhere is the same cause where other evidence is as strong.
func (c Cause) alsoWhere(explains func(evidence.Evidence) bool) Cause {
	c.explains = explains
	return c
}

// reaperHad is the cause that most others have to stand beside.
const reaperHad = "reaper-had-status"

// unknownForSignals is a choice where nothing else loses codes.
var unknownForSignals = Cause{
	ID: "unknown-code-for-signals", Level: trial.Should, Choice: "unknown-code-for-signals",
	Title: "A command that a signal ended has no exit code.",
	Look: "Go's ExitCode says -1 for it, and Python's returncode -n. Shells say 128 and the " +
		"signal's number, which callers know.",
	explains: func(e evidence.Evidence) bool {
		lost, ran := e.Count(trial.Lost, bySignal...)
		return e.Is(trial.Lost) && e.Of(bySignal...) && lost == ran && ran >= evidence.Enough &&
			!e.ReaperFirst()
	},
}

// anotherOwner is believed of a wrong code, and of what else goes wrong under its fault
// where no race is known that does the same.
var anotherOwner = Cause{
	ID: "another-owner", Level: trial.Must,
	Title: "A process ID is taken for another command's.",
	Look: "Whatever is kept by process ID (a status, a timer, a clean-up) has to go before the " +
		"child is reaped, or to be kept by something that is not used again, such as a pidfd. A table " +
		"that is found by part of a number needs the whole number beside each entry.",
	explains: func(e evidence.Evidence) bool {
		return e.Is(trial.Wrong) && (e.Under("next PID") || e.OnlyOf(reused...)) ||
			e.Is(trial.Lost, trial.Hung) && e.OnlyOf("elder-running", "heir-running")
	},
}

// noWordForNoRoom is believed of errors; a race loses codes there as elsewhere.
var noWordForNoRoom = Cause{
	ID: "no-word-for-no-room", Level: trial.Should,
	Title: "What cannot be started for want of processes, files or room is not refused in words.",
	Look: "EAGAIN of fork, EMFILE and ENOSPC are over in a moment: answer \"try again\", HTTP 503, " +
		"and no exit code.",
	explains: func(e evidence.Evidence) bool { return e.Is(trial.Error) && e.Under(noRoom...) },
}

// noRoom are the faults that take something away for a while.
var noRoom = []string{"room for", "no more open files", fullTemp}

const fullTemp = "no room in /tmp"

// stranded is believed of answers that are no codes; a race loses one there too.
var stranded = Cause{
	ID: "stranded", Level: trial.Should, Choice: "stops-at-once",
	Title: "SIGTERM strands the commands that run, or the daemon ends with another status.",
	Look: "Stop taking commands, answer for those that run, wait for no one who only holds an " +
		"output, and exit 0 (docker stop gives 10 s).",
	explains: func(e evidence.Evidence) bool {
		return e.Under(stopSignals...) && (e.Is(trial.Error, trial.Hung) ||
			e.Fails(evidence.Target) && e.Check.Got != evidence.Runs)
	},
}

// notAsSet is believed of what commands say of themselves, unless it is cut as other outputs are.
var notAsSet = Cause{
	ID: "not-as-set", Level: trial.Must,
	Title: "A command's environment or folder is not the one that was asked for.",
	Look: "Set both for the child alone, and paste neither into a shell's text. Delete " +
		"from the dialect what the daemon does not offer.",
	explains: func(e evidence.Evidence) bool {
		return e.Is(trial.Output, trial.Wrong) && !e.CodeAlone() && e.Of(asSet...) ||
			e.OnlyIn([]string{"in-folder", "with-variable"}, "reads", "writes-")
	},
}

// timeoutClaimed begins what is said of a command that had time left. The client that asked for it
// has no part in that.
const timeoutClaimed = "timeout reported for"

// refusedAfterFailures is believed of what comes right behind a row of failures.
var refusedAfterFailures = Cause{
	ID: "refused-after-failures", Level: trial.Should,
	Title: "After commands that went wrong, one with which nothing is wrong is not executed.",
	Look: "A circuit breaker, a penalty or a pool that shrinks: that a command fails, cannot be " +
		"started, times out or is left is no failure of the daemon.",
	explains: func(e evidence.Evidence) bool {
		return e.Of("after-") && e.OnlyOf("after-", "failures", "kills", "timeouts", "hang-ups")
	},
}

// endedWithItsOutput is believed of a command that has nothing open.
var endedWithItsOutput = Cause{
	ID: "ended-with-its-output", Level: trial.Must,
	Title: "A command that has closed its output is ended, or taken for one that has ended.",
	Look: "The end of a pipe says that nobody writes any more (pipe(7)), and only wait(2) that a " +
		"process has ended.",
	explains: func(e evidence.Evidence) bool { return e.OnlyOf("silent-closed") },
}

// inputChanged is believed of what commands read. One whose end is missed may have been
// missed for another reason, which shows elsewhere too.
var inputChanged = Cause{
	ID: "input-changed", Level: trial.Must,
	Title: "A command's input is not as it was sent: cut, changed, another's, or without an end.",
	Look: "Write it in a thread or task of its own, while the output is read, until all of it is " +
		"written. Close both ends. EPIPE is no error, and no answer waits for who does not read.",
	explains: func(e evidence.Evidence) bool {
		return e.Is(trial.Output) && e.Mostly("given-") && e.CutAt() < pipeBytes
	},
}
