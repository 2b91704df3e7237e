package results

import "github.com/reapcheck/reapcheck/harness/trial"

// causes are all that are known. The first that explains the evidence is it, so what is
// special stands before what is general; beside each stands its level, and in Choice the
// word that makes it the target's own affair. This is the one place for both.
var causes = append(append(trialCauses, generalCauses...), checkCauses...)

// trialCauses explain trials by the command that went wrong.
var trialCauses = []Cause{
	{
		ID: "target-ended", Level: trial.Must,
		Title: "The daemon ends, and as PID 1 it takes the sandbox with it.",
		Look:  "Its log says why. A Go program that gets no thread, or no file, must not panic.",
		explains: func(e Evidence) bool {
			return e.check("target") && e.Check.Want == runs ||
				e.Ended && e.is(trial.Error, trial.Hung)
		},
	},
	{
		ID: "half-closed", Level: trial.Advice,
		Title: "A client that closes its sending side is taken for one that has gone, or the " +
			"other way round.",
		Look: "net/http cancels the request's context at the end of its input (RFC 9112, 9.6, " +
			"leaves that to the server).",
		explains: func(e Evidence) bool {
			return e.is(trial.Error, trial.Hung) && e.of("half-closed", "gone-with-more-behind") ||
				e.is(trial.Wrong) && e.of("half-closed") && e.sameCode() // of the signal
		},
	},
	unknownForSignals,
	unknownForSignals.otherwise(reaperHad, func(e Evidence) bool {
		return e.is(trial.Lost) && e.of(bySignal...) && e.all()
	}),
	{
		ID: "long-command", Level: trial.Should, Choice: "limits-commands",
		Title: "A command of more than 64 KiB breaks the connection.",
		Look:  "The limit of a request's body. Refuse what is too long with an error that says so.",
		explains: func(e Evidence) bool {
			return e.is(trial.Error, trial.Hung) && e.of(tooLong...)
		},
	},
	{
		ID: "code-for-failed-start", Level: trial.Should, Choice: "code-for-failed-starts",
		Title: "A command that could not be started has an exit code, or an unknown one.",
		Look: "The error of the start (a folder that is not there, a NUL byte, E2BIG) must " +
			"reach the caller as an error.",
		explains: func(e Evidence) bool {
			return e.is(trial.Lost, trial.Wrong) && e.of(notToStart...) &&
				!(e.is(trial.Lost) && !e.all()) ||
				e.is(trial.Wrong) && e.of("phantom") && e.sameCode()
		},
	},
	{
		ID: reaperHad, Level: trial.Must,
		Title: "The exit code is lost where the reaper takes the child before its waiter does.",
		Look: "Two calls wait for one child: the reaper's wait4(-1) and the handler's. Only one may " +
			"wait. It must hand the status over, even if it comes before the other asks.",
		explains: func(e Evidence) bool {
			return e.is(trial.Lost, trial.Error) && e.says("no child process", "ECHILD") ||
				e.reaperFirst() && (e.is(trial.Lost, trial.Error) ||
					e.is(trial.Wrong) && e.sameCode())
		},
	},
	anotherOwner,
	anotherOwner.otherwise(reaperHad, func(e Evidence) bool {
		return e.under("next PID") && e.is(trial.Lost, trial.Error, trial.Hung, trial.Output)
	}),
	noWordForNoRoom,
	noWordForNoRoom.otherwise(reaperHad, func(e Evidence) bool {
		return e.is(trial.Lost) && e.under("room for", "no more open files")
	}),
	{
		ID: "timeout-not-enforced", Level: trial.Should,
		Title: "A command that outlives its timeout is not answered in time.",
		Look: "If only the shell is killed, its children still hold the pipe, and the daemon waits " +
			"for it. Kill the whole process group, at last with SIGKILL, and stop reading.",
		explains: func(e Evidence) bool {
			return e.is(trial.Hung) && e.of(outlives...) && !e.of("given-much-overtime") ||
				e.left() && e.went(trial.Hung, outlives...)
		},
	},
	{
		ID: "no-word-for-timeout", Level: trial.Should,
		Title: "A command that outlives its timeout ends without the word for a timeout.",
		Look:  "The answer must tell a timeout from an exit code; see words.timeout of the dialect.",
		explains: func(e Evidence) bool {
			return e.is(trial.Lost) && e.of(outlives...) && e.all() ||
				e.is(trial.Error) && e.says("no timeout reported")
		},
	},
	{
		ID: "other-clients", Level: trial.Advice,
		Title: "Another client's request is not understood, or its answer is cut.",
		Look: "Chunked bodies, JSON escapes, parameters of the media type, HTTP/1.0: leave them " +
			"to an HTTP library. A client may read slowly: no limit for an answer as a whole.",
		explains: func(e Evidence) bool {
			return e.of("asked-") &&
				e.is(trial.Error, trial.Hung, trial.Wrong, trial.Output)
		},
	},
	{
		ID: "silent-timeout", Level: trial.Advice, Choice: "no-output-at-timeouts",
		Title: "What a command wrote before its timeout is not in the answer.",
		Look: "Read on until the killed processes have ended, and answer with their output: it says " +
			"how far the command got.",
		explains: func(e Evidence) bool {
			return e.is(trial.Output) && e.of("overtime-wrote", "overtime-wrote-errors")
		},
	},
	{
		ID: "connections-limited", Level: trial.Advice, Choice: "limits-connections",
		Title: "A thousand idle clients keep others from being answered.",
		Look: "A limit of connections, or select(2), which knows no file above 1023: use poll(2) " +
			"or epoll(7).",
		explains: func(e Evidence) bool {
			return e.is(trial.Hung, trial.Error) && e.under("a crowd of")
		},
	},
	{
		ID: "timeout-claimed", Level: trial.Must,
		Title: "A command that needs no timeout is said to have timed out.",
		Look: "Ask how the command ended before asking the timer. If commands without a limit get " +
			"one of the daemon's own, let the dialect ask for a longer one: request.noTimeout.",
		explains: func(e Evidence) bool {
			return e.is(trial.Error) && e.says("timeout reported for")
		},
	},
	{
		ID: "cut-off", Level: trial.Must, Choice: "limits-time",
		Title: "A command that is long and silent is cut off.",
		Look:  "A server's WriteTimeout, a proxy's limit, or a default timeout.",
		explains: func(e Evidence) bool {
			return e.is(trial.Error, trial.Hung) && e.of("silent", "begun")
		},
	},
	{
		ID: "waits-for-clients", Level: trial.Should,
		Title: "A client that says nothing keeps others from being answered.",
		Look: "Accept connections in a loop that does nothing else, and read each in a " +
			"thread or task of its own.",
		explains: func(e Evidence) bool {
			return e.is(trial.Hung) && e.under("clients that say nothing")
		},
	},
	{
		ID: "waits-for-output", Level: trial.Should, Choice: "waits-for-output",
		Title: "The answer waits for a background child that holds the output.",
		Look: "Answer when the command has ended and its output has been read, and do not wait for " +
			"the end of the pipe (os/exec has WaitDelay for this).",
		explains: func(e Evidence) bool {
			return e.is(trial.Hung) && e.of("held-stdout", "held-stdout-") ||
				e.left() && e.ran("held-stdout", "held-stdout-") && !e.ran("release")
		},
	},
	{
		ID: "ends-background", Level: trial.Should, Choice: "ends-background",
		Title: "A background child is ended, or held up, once its command has ended.",
		Look: "A command that succeeds may leave a server behind, as in a shell: end no child of " +
			"another command, and read on what it writes.",
		explains: func(e Evidence) bool {
			return e.is(trial.Wrong) && e.of("release") && e.ran("held-stdout", "held-stdout-")
		},
	},
	{
		ID: "waits-for-commands", Level: trial.Should, Choice: "waits-for-commands",
		Title: "SIGTERM waits for a command that never ends.",
		Look: "Limit the wait to less than the ten seconds that docker stop gives the daemon. An " +
			"orchestrator may give more.",
		explains: func(e Evidence) bool {
			return e.is(trial.Hung) && e.of("never-ends") ||
				e.check("target") && e.Check.Got == runs && e.ran("never-ends")
		},
	},
	{
		ID: "not-stopped", Level: trial.Should,
		Title:    "The daemon does not stop when it is told to.",
		Look:     "PID 1 ignores each signal for which it has no handler.",
		explains: func(e Evidence) bool { return e.check("target") && e.Check.Got == runs },
	},
	stranded,
	stranded.otherwise(reaperHad,
		func(e Evidence) bool { return e.is(trial.Lost) && e.under(stopSignals...) }),
	{
		ID: "replaces-environment", Level: trial.Should, Choice: "replaces-environment",
		Title:    "Variables that a command is given take the place of all others.",
		Look:     "exec.Cmd.Env, like execve(2), passes only these: add them to the daemon's own.",
		explains: func(e Evidence) bool { return e.is(trial.Output) && e.of("others-stay") },
		under:    "not-as-set",
	},
	{
		ID: "not-as-set", Level: trial.Must,
		Title: "A command's environment or folder is not the one that was asked for.",
		Look: "Set both for the child alone, and paste neither into a shell's text. Delete " +
			"from the dialect what the daemon does not offer.",
		explains: func(e Evidence) bool {
			return e.is(trial.Output, trial.Wrong) && e.of(asSet...)
		},
	},
	{
		ID: "input-limited", Level: trial.Should, Choice: "limits-input",
		Title: "An input of 64 KiB or more is refused, or breaks the connection.",
		Look:  "The limit of a request's body. Refuse what is too long with an error that says so.",
		explains: func(e Evidence) bool {
			return e.is(trial.Error) && e.of(longInput...)
		},
	},
	inputChanged,
	inputChanged.otherwise("end-missed", func(e Evidence) bool {
		return e.is(trial.Hung) && e.of("given-") && !e.of(overtimeInput...)
	}),
	inputChanged.otherwise("timeout-not-enforced", func(e Evidence) bool {
		return e.is(trial.Hung) && e.of("given-much-overtime")
	}),
	{
		ID: "hands-on-settings", Level: trial.Advice,
		Title:    "Commands get the daemon's own umask, limits, scheduling or privileges.",
		Look:     "What the daemon changes for itself its commands inherit: set it back for them.",
		explains: func(e Evidence) bool { return e.is(trial.Wrong) && e.of(settings...) },
	},
	{
		ID: "hands-on", Level: trial.Should,
		Title: "Commands inherit what is the daemon's own: input, files, signals or group.",
		Look: "/dev/null as standard input, close-on-exec, a process group of their own, and no " +
			"signal ignored or blocked.",
		explains: func(e Evidence) bool {
			return e.is(trial.Wrong, trial.Hung) && e.of("input-", "files", "files-meanwhile",
				"group", "memory", "signals", "signals-blocked")
		},
	},
}

// unknownCause is what no cause explains: a check that is new, say.
var unknownCause = Cause{
	ID:       "unexplained",
	Title:    "A promise about the sandbox is not kept.",
	Look:     "The check says what was looked at.",
	explains: func(Evidence) bool { return true },
}

// otherwise is the same cause where its evidence is weaker than that of another.
func (c Cause) otherwise(under string, explains func(Evidence) bool) Cause {
	c.under, c.explains = under, explains
	return c
}

// reaperHad is the cause that most others have to stand beside.
const reaperHad = "reaper-had-status"

// kernel's default for a pipe, and the least that a limit of outputs is believed to be.
const pipeBytes = 64 << 10

// outputCut is a choice where the limit is larger than a pipe, and a race below.
var outputCut = Cause{
	ID: "output-cut", Level: trial.Must,
	Title: "The end of a command's output is missing.",
	Look: "The last bytes are still in the pipe when the command ends: read the pipe to its end " +
		"before you answer.",
	explains: func(e Evidence) bool { return e.is(trial.Output) && e.cutAt() > 0 },
}

// generalCauses explain trials by their outcome.
var generalCauses = []Cause{
	{
		ID: "streams-interleaved", Level: trial.Advice,
		Title: "What a command wrote to its two outputs in turn comes back in another order.",
		Look: "Two pipes have no order between them. If the answer has one output, give the command " +
			"one pipe for both streams. Otherwise keep them apart in the answer.",
		explains: func(e Evidence) bool { return e.Way.First.Interleaved() },
	},
	{
		ID: "output-limited", Level: trial.Must, Choice: "limits-output",
		Title: "Output is cut at a limit.",
		Look:  "A limit is a choice: declare it in the dialect, and say in the answer that it was met.",
		explains: func(e Evidence) bool {
			return e.is(trial.Output) && e.cutAt() >= pipeBytes
		},
	},
	outputCut,
	{
		ID: "output-changed", Level: trial.Must,
		Title:    "A command's output is not what it wrote.",
		Look:     "Text that is decoded piece by piece, a terminal in between, or another command's bytes.",
		explains: func(e Evidence) bool { return e.is(trial.Output) },
	},
	{
		ID: "end-missed", Level: trial.Must,
		Title: "A command has ended, and the answer never comes.",
		Look: "One SIGCHLD may stand for the end of many children. After one that comes while the " +
			"reaper works, the reaper must look again.",
		explains: func(e Evidence) bool { return e.is(trial.Hung) },
	},
	wrongCode.otherwise(reaperHad,
		func(e Evidence) bool { return e.is(trial.Wrong) && e.sameCode() }),
	wrongCode,
	{
		ID: "code-lost", Level: trial.Must, under: reaperHad,
		Title:    "The exit code of a command is lost.",
		Look:     "The run does not show who took it: look for a second waiter, and for errors of waitid.",
		explains: func(e Evidence) bool { return e.is(trial.Lost) },
	},
	{
		ID:       "no-answer",
		Title:    "A command is answered with an error, or not at all.",
		Look:     "What the target said is in the example below.",
		explains: func(e Evidence) bool { return e.is(trial.Error) },
	},
}

// checkCauses explain promises about the sandbox.
var checkCauses = []Cause{
	{
		ID: "runs-on-after-hang-up", Level: trial.Should, Choice: "runs-on-after-hang-up",
		Title: "A command runs on when its client has gone.",
		Look:  "The end of the connection (in Go the request's context) must end the command.",
		explains: func(e Evidence) bool {
			return e.left() && e.ran(hangsUp...) &&
				!e.ran(outlives...)
		},
	},
	{
		ID: "left-the-group", Level: trial.Advice,
		Title: "What has left a command's process group runs on after its timeout or hang-up.",
		Look:  "Stop the whole tree, and find what called setsid(2) through its parents.",
		explains: func(e Evidence) bool {
			return e.left() && !e.Zombies && e.ran(apart...) &&
				!e.ran("overtime-shell", "resists-shell")
		},
	},
	{
		ID: "left-behind", Level: trial.Should, Choice: "runs-on-after-hang-up",
		Title: "Commands run on after their timeout or their client's hang-up.",
		Look:  "Kill the process group and what has left it, at last with SIGKILL.",
		explains: func(e Evidence) bool {
			return e.left() && e.ran(hangsUp...)
		},
	},
	{
		ID: "not-reaped", Level: trial.Should,
		Title: "Zombies stay.",
		Look:  "PID 1 must wait for each of its children, also for orphans that it inherits.",
		explains: func(e Evidence) bool {
			return e.check(zombies) || e.left() && e.Zombies
		},
	},
	{
		ID: "group-not-killed", Level: trial.Should,
		Title:    "Processes that a command started are left behind.",
		Look:     "Kill the process group and what has left it, at last with SIGKILL.",
		explains: func(e Evidence) bool { return e.left() },
	},
	{
		ID: "keeps", Level: trial.Should,
		Title: "Something of each command is kept: open files, threads or memory.",
		Look:  "Close pipes and pidfds, also where a start fails, a timer fires or a client goes.",
		explains: func(e Evidence) bool {
			return e.check(held...)
		},
	},
	{
		ID: "floods-memory", Level: trial.Advice, Choice: "no-output-limit",
		Title:    "All output is kept in memory, however much it is.",
		Look:     "A limit, or an answer that is streamed; a sandbox has less memory than `yes` has output.",
		explains: func(e Evidence) bool { return e.check("the target's peak memory in bytes") },
	},
	{
		ID: "thread-per-command", Level: trial.Advice, Choice: "thread-per-command",
		Title: "Each running command takes a thread.",
		Look: "A blocking wait parks one. Threads count as processes, and a Go program dies at " +
			"10,000.",
		explains: func(e Evidence) bool { return e.check("highest of the target's threads") },
	},
	{
		ID: "silent-when-busy", Level: trial.Should,
		Title: "The daemon does not say whether it is ready while commands run.",
		Look:  "Who watches it restarts it then: that answer must take no lock that a command holds.",
		explains: func(e Evidence) bool {
			return e.check("an answer to who asks whether the target is ready")
		},
	},
	{
		ID: "unwell", Level: trial.Must,
		Title:    "The daemon is not well again when the fault is over.",
		Look:     "Something that failed once was taken for good: a listener, a reaper, a lock.",
		explains: func(e Evidence) bool { return e.check("health after the fault") },
	},
	{
		ID: "busy", Level: trial.Should,
		Title:    "The daemon keeps a CPU busy with nothing to do.",
		Look:     "wait4 with WNOHANG gives 0 while children run: wait for SIGCHLD then.",
		explains: func(e Evidence) bool { return e.check("CPU time at rest") },
	},
}
