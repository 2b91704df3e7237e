package results

import (
	"strings"

	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// causes are all that are known. The first that explains the evidence is it, so what is
// special stands before what is general; beside each stands its level, and in Choice the
// word that makes it the target's own affair. The three lists, a file each, are
// the one place for both.
var causes = append(append(trialCauses, generalCauses...), checkCauses...)

// trialCauses explain trials by the command that went wrong.
var trialCauses = []Cause{
	{
		ID: "streams-interleaved", Level: trial.Advice,
		Title: "What a command wrote to its two outputs in turn comes back in another order.",
		Look: "Two pipes have no order between them. If the answer has one output, " +
			"give the command one pipe for both streams. Otherwise keep them apart in the answer.",
		// The judge has told it from all else by then, whatever was asked.
		explains: func(e evidence.Evidence) bool { return e.Way.First.Interleaved() },
	},
	{
		ID: "target-ended", Level: trial.Must,
		Title: "The daemon ends, and as PID 1 it takes the sandbox with it.",
		Look:  "Its log says why. A Go program that gets no thread, or no file, must not panic.",
		explains: func(e evidence.Evidence) bool {
			return e.Fails(evidence.Target) && e.Check.Want == evidence.Runs ||
				e.Ended && e.Is(trial.Error, trial.Hung)
		},
	},
	{
		ID: "stands-still", Level: trial.Must,
		Title: "The daemon as a whole stands still: no command is answered any more.",
		Look: "A lock that is taken twice or not given back, a pool whose last place is taken, or one " +
			"thread that waits for all. A look at all stacks while it stands tells which: SIGQUIT for " +
			"a Go program, py-spy for Python, gdb for others.",
		explains: func(e evidence.Evidence) bool {
			// One thread may wait for the output of one.
			return e.StandsStill && !e.Is(trial.Lost, trial.Wrong, trial.Output, trial.Error) &&
				!e.Of("held-stdout", "held-stdout-")
		},
	},
	{
		ID: "other-clients", Level: trial.Advice,
		Title: "Another client's request is not understood, or its answer is cut.",
		Look: "Chunked bodies, JSON escapes, parameters of the media type, HTTP/1.0: leave them " +
			"to an HTTP library. A client may read slowly: no limit for an answer as a whole.",
		explains: func(e evidence.Evidence) bool {
			return e.Mostly("asked-") && !e.CodeAlone() && !e.Says(timeoutClaimed) &&
				(e.Is(trial.Error, trial.Hung, trial.Wrong) ||
					e.Is(trial.Output) && e.CutAt() < pipeBytes) ||
				e.Of("abandoned-chunked") && e.Is(trial.Error)
		},
	},
	refusedAfterFailures, endedWithItsOutput,
	{
		ID: "half-closed", Level: trial.Advice,
		Title: "A client that closes its sending side is taken for one that has gone, or the " +
			"other way round.",
		Look: "net/http cancels the request's context at the end of its input (RFC 9112, 9.6, " +
			"leaves that to the server).",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Error, trial.Hung) && e.Of("half-closed", "gone-with-more-behind") ||
				e.Is(trial.Wrong) && e.Of("half-closed") && e.SameCode() || // of the signal
				e.Leaves() && e.Ran("gone-with-more-behind")
		},
	},
	{
		ID: "two-answers", Level: trial.Must,
		Title:    "More than one answer comes to one request.",
		Look:     "Whoever writes an error must return then: what is written behind it is read with it.",
		explains: func(e evidence.Evidence) bool { return e.Says("it goes on after the JSON object") },
	},
	{
		ID: "not-run-once", Level: trial.Must,
		Title: "A command is run again, or one run answers two that are equal.",
		Look: "No exit code is a reason to try again, and equal commands are no duplicates: " +
			"only who asked knows what they do.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Wrong) && e.Of("once-") && e.Says(`"again`, `"alone`)
		},
	},
	unknownForSignals,
	unknownForSignals.otherwise(reaperHad, func(e evidence.Evidence) bool {
		return e.Is(trial.Lost) && e.Of(bySignal...) && e.All()
	}),
	{
		ID: "long-command", Level: trial.Should, Choice: "limits-commands",
		Title: "A command of more than 64 KiB breaks the connection.",
		Look:  "The limit of a request's body. Refuse what is too long with an error that says so.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Error, trial.Hung) && e.Of(tooLong...)
		},
	},
	{
		ID: "code-for-failed-start", Level: trial.Should, Choice: "code-for-failed-starts",
		Title: "A command that could not be started has an exit code, or an unknown one.",
		Look: "The error of the start (a folder that is not there, a NUL byte, E2BIG) must " +
			"reach the caller as an error.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Lost, trial.Wrong) && e.Of(notToStart...) &&
				!(e.Is(trial.Lost) && !e.All()) ||
				e.Is(trial.Wrong) && e.Of("phantom") && e.SameCode()
		},
	},
	{
		ID: "killed-by-mistake", Level: trial.Must,
		Title: "A command is killed that was to run on.",
		Look: "A process group that commands share, a process ID that is another's by now, a clean-up " +
			"that takes too much, or PR_SET_PDEATHSIG, which comes when the thread ends that started " +
			"the command (prctl(2)).",
		explains: func(e evidence.Evidence) bool {
			return e.ToldOf(sigkill, sigterm, sighup, sigint) &&
				!e.Of(bySignal...) && !e.Of("release") && !e.OnlyOf(reused...) &&
				!e.Under(stopSignals...) && !e.Under(noRoom...) && !e.Under("next PID", "memory") &&
				(e.Is(trial.Wrong) || e.Is(trial.Error) && e.Says("no timeout reported") && !e.Most())
		},
	},
	{
		ID: reaperHad, Level: trial.Must,
		Title: "The exit code is lost where the reaper takes the child before its waiter does.",
		Look: "Two calls wait for one child: the reaper's wait4(-1) and the handler's. " +
			"Only one may wait. It must hand the status over, even if it comes before the " +
			"other asks.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Lost, trial.Error) && e.Says("no child process", "ECHILD") ||
				e.ReaperFirst() && !e.Under("next PID") &&
					(e.Is(trial.Lost, trial.Error) || e.Is(trial.Hung) && e.Most() ||
						// A daemon may have one code for all signals, too.
						e.Is(trial.Wrong) && e.SameCode() && !e.Of(bySignal...))
		},
	},
	anotherOwner,
	anotherOwner.otherwise(outputCut.ID, func(e evidence.Evidence) bool {
		return e.Is(trial.Output) && e.CutAt() >= 0 && (e.Under("next PID") || e.OnlyOf(reused...))
	}),
	anotherOwner.otherwise("end-missed", func(e evidence.Evidence) bool {
		return e.OnlyOf(reused...) && e.Is(trial.Lost, trial.Error, trial.Hung, trial.Output) ||
			e.Under("next PID") && e.Is(trial.Hung)
	}),
	anotherOwner.otherwise(reaperHad, func(e evidence.Evidence) bool {
		return e.Under("next PID") && e.Is(trial.Lost, trial.Error, trial.Output)
	}),
	noWordForNoRoom,
	noWordForNoRoom.otherwise("end-missed", func(e evidence.Evidence) bool {
		return e.Is(trial.Hung) && e.Under(noRoom...)
	}),
	noWordForNoRoom.otherwise(reaperHad, func(e evidence.Evidence) bool {
		return e.Is(trial.Lost) && e.Under(noRoom...)
	}),
	{
		ID: "half-written", Level: trial.Must,
		Title: "Without room for temporary files a command is run, or answered, in part.",
		Look: "Look at what each write(2) and close(2) says. If the disk is full answer \"try " +
			"again\", HTTP 503, and no exit code.",
		explains: func(e evidence.Evidence) bool {
			kind, without := strings.CutPrefix(e.Way.Kind, "without-room-")
			return without && e.Is(trial.Wrong, trial.Output) && !e.Went(e.Way.Outcome, kind)
		},
	},
	{
		ID: "timeout-not-enforced", Level: trial.Should,
		Title: "A command that outlives its timeout is not answered in time.",
		Look: "If only the shell is killed, its children still hold the pipe, " +
			"and the daemon waits for it. Kill the whole process group, at last with SIGKILL, " +
			"and stop reading.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Hung) && e.Of(outlives...) && !e.Of("given-much-overtime") ||
				e.Is(trial.Hung) && e.Of("long-limited") || // nobody came to end it
				e.Leaves() && e.Went(trial.Hung, outlives...)
		},
	},
	{
		ID: "no-word-for-timeout", Level: trial.Should,
		Title: "A command that outlives its timeout ends without the word for a timeout.",
		Look: "The answer must tell a timeout from an exit code; " +
			"see words.timeout of the dialect.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Lost) && e.Of(outlives...) && e.All() ||
				e.Is(trial.Error) && e.Says("no timeout reported")
		},
	},
	{
		ID: "silent-timeout", Level: trial.Advice, Choice: "no-output-at-timeouts",
		Title: "What a command wrote before its timeout is not in the answer.",
		Look: "Read on until the killed processes have ended, and answer with their output: " +
			"it says how far the command got.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Output) && e.Of("overtime-wrote", "overtime-wrote-errors")
		},
	},
	{
		ID: "connections-limited", Level: trial.Advice, Choice: "limits-connections",
		Title: "A thousand idle clients keep others from being answered.",
		Look: "A limit of connections, or select(2), which knows no file above 1023: use poll(2) " +
			"or epoll(7).",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Hung, trial.Error) && e.Under("a crowd of")
		},
	},
	{
		ID: "wall-clock", Level: trial.Must,
		Title: "How long a command has run is taken from a clock that can be set.",
		Look: "Only where the wall clock is set does it go wrong, as when a machine is resumed or " +
			"asks for the time: take timeouts from a monotonic clock, such as time.monotonic(), " +
			"performance.now(), CLOCK_MONOTONIC, or a Go time.Time that was never rounded or parsed.",
		explains: func(e evidence.Evidence) bool {
			return e.OnlyOf("clock-set-")
		},
	},
	{
		ID: "timeout-early", Level: trial.Must,
		Title: "A command is said to have timed out before its limit.",
		Look: "A limit of 1.5 s is not 1 s: round no fraction off, and let the timer of no other " +
			"command end this one.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Error) && e.Says(timeoutClaimed) && e.Says("before its limit")
		},
	},
	{
		ID: "timeout-claimed", Level: trial.Must,
		Title: "A command that needs no timeout is said to have timed out.",
		Look: "Ask how the command ended before asking the timer. " +
			"If commands without a limit get one of the daemon's own, " +
			"let the dialect ask for a longer one: request.noTimeout.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Error) && e.Says("timeout reported for")
		},
	},
	{
		ID: "cut-off", Level: trial.Must, Choice: "limits-time",
		Title: "A command that is long and silent is cut off.",
		Look:  "A server's WriteTimeout, a proxy's limit, or a default timeout.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Error, trial.Hung) && e.Of("silent", "begun")
		},
	},
	{
		ID: "waits-for-clients", Level: trial.Should,
		Title: "A client that says nothing keeps others from being answered.",
		Look: "Accept connections in a loop that does nothing else, and read each in a " +
			"thread or task of its own.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Hung) && e.Under("clients that say nothing")
		},
	},
	{
		ID: "waits-for-output", Level: trial.Should, Choice: "waits-for-output",
		Title: "The answer waits for a background child that holds the output.",
		Look: "Answer when the command has ended and its output has been read, " +
			"and do not wait for the end of the pipe (os/exec has WaitDelay for this).",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Hung) && e.Of("held-stdout", "held-stdout-") ||
				e.Leaves() && e.Ran("held-stdout", "held-stdout-") && !e.Ran("release")
		},
	},
	{
		ID: "ends-background", Level: trial.Should, Choice: "ends-background",
		Title: "A background child is ended, or held up, once its command has ended.",
		Look: "A command that succeeds may leave a server behind, as in a shell: end no child of " +
			"another command, and read on what it writes.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Wrong) && e.Of("release") && e.Ran("held-stdout", "held-stdout-")
		},
	},
	{
		ID: "waits-for-commands", Level: trial.Should, Choice: "waits-for-commands",
		Title: "SIGTERM waits for a command that never ends.",
		Look: "Limit the wait to less than the ten seconds that docker stop gives the daemon. An " +
			"orchestrator may give more.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Hung) && e.Of("never-ends") ||
				e.Fails(evidence.Target) && e.Check.Got == evidence.Runs && e.Ran("never-ends")
		},
	},
	{
		ID: "not-stopped", Level: trial.Should,
		Title: "The daemon does not stop when it is told to.",
		Look: "PID 1 ignores each signal for which it has no handler. Or a count of what still runs " +
			"is never back at zero: some way out of a command forgot it.",
		explains: func(e evidence.Evidence) bool {
			return e.Fails(evidence.Target) && e.Check.Got == evidence.Runs
		},
	},
	stranded,
	stranded.otherwise(reaperHad,
		func(e evidence.Evidence) bool { return e.Is(trial.Lost) && e.Under(stopSignals...) }),
	{
		ID: "replaces-environment", Level: trial.Should, Choice: "replaces-environment",
		Title:    "Variables that a command is given take the place of all others.",
		Look:     "exec.Cmd.Env, like execve(2), passes only these: add them to the daemon's own.",
		explains: func(e evidence.Evidence) bool { return e.Is(trial.Output) && e.Of("others-stay") },
		under:    "not-as-set",
	},
	{
		ID: "no-such-name", Level: trial.Advice,
		Title: "A command cannot open its output or input by name, as in echo >/dev/stderr.",
		Look: "open(2) of a socket fails with ENXIO (Node.js makes sockets of a child's pipes), and " +
			"of another user's pipe with EACCES.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Output, trial.Wrong) && !e.CodeAlone() &&
				e.Of("by-name", "errors-by-name", "given-by-name")
		},
	},
	{
		ID: "output-in-a-file", Level: trial.Advice,
		Title: "What a command has written is lost where it opens its output by name, as in " +
			"echo >/dev/stdout.",
		Look: "The output is a file, which open(2) with O_TRUNC empties. A pipe keeps what was " +
			"written.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Output) && e.Of("kept-by-name")
		},
		under: "output-changed",
	},
	{
		ID: "other-variables", Level: trial.Advice,
		Title: "Commands have other variables than the daemon's own and those that they are given.",
		Look: "An image's ENV is meant for whatever runs in it. Names with a dot or a dash are no " +
			"shell's, and other programs have them. What a daemon sets for itself its commands " +
			"inherit; Python sets LC_CTYPE (PEP 538).",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Output) && e.Of("of-the-daemon", "names-of-no-shell", "no-others")
		},
	},
	notAsSet.otherwise(outputCut.ID, func(e evidence.Evidence) bool {
		return e.Is(trial.Output) && e.Of(asSet...) && e.CutAt() >= 0
	}),
	notAsSet,
	{
		ID: "input-limited", Level: trial.Should, Choice: "limits-input",
		Title: "An input of 64 KiB or more is refused, or breaks the connection.",
		Look:  "The limit of a request's body. Refuse what is too long with an error that says so.",
		explains: func(e evidence.Evidence) bool {
			return e.Is(trial.Error) && e.Of(longInput...)
		},
	},
	keeps.alsoWhere(func(e evidence.Evidence) bool {
		return e.Is(trial.Output) && e.Of("folder-not-kept")
	}),
	notReaped.alsoWhere(func(e evidence.Evidence) bool {
		return e.Found() && e.Of("orphan-meanwhile", "orphan-meanwhile-", "until-woken-orphan")
	}),
	inputChanged.otherwise(outputCut.ID, func(e evidence.Evidence) bool {
		return e.Is(trial.Output) && e.Mostly("given-") && e.CutAt() >= 0 && e.CutAt() < pipeBytes
	}),
	inputChanged,
	inputChanged.otherwise("end-missed", func(e evidence.Evidence) bool {
		return e.Is(trial.Hung) && e.Of("given-") && !e.Of(overtimeInput...) &&
			!e.Of("given-unread-for-long") // which reads nothing, and waits to be released
	}),
	inputChanged.otherwise("output-cut", func(e evidence.Evidence) bool {
		return e.OnlyIn([]string{"reads", "reads-much"}, "writes-")
	}),
	inputChanged.otherwise("timeout-not-enforced", func(e evidence.Evidence) bool {
		return e.Is(trial.Hung) && e.Of("given-much-overtime")
	}),
	{
		ID: "hands-on-settings", Level: trial.Advice,
		Title: "Commands have another umask, limits, scheduling, groups or privileges than a shell.",
		Look: "What the daemon changes for itself its commands inherit: set it back for them. And what it " +
			"sets for them alone, a shell does not have.",
		explains: func(e evidence.Evidence) bool { return e.Found() && e.Of(settings...) },
	},
	notReaped.alsoWhere(func(e evidence.Evidence) bool {
		return e.Found() && e.Of("zombies-stay")
	}),
	{
		ID: "hands-on", Level: trial.Should,
		Title: "Commands inherit what is the daemon's own: input, files, signals or group.",
		Look: "/dev/null as standard input, close-on-exec, a process group of their own, and no " +
			"signal ignored or blocked.",
		explains: func(e evidence.Evidence) bool {
			looks := []string{"files", "files-in-folder", "files-meanwhile", "group", "memory",
				"signals", "signals-blocked"}
			return e.Found() && (e.Of("input-") || e.Of(looks...)) ||
				// Whose input never ends waits for that, and the others do not.
				e.Is(trial.Hung) && e.Of("input-") && !e.Went(trial.Hung, looks...)
		},
	},
}
