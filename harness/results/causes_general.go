package results

import "github.com/reapcheck/reapcheck/harness/trial"

// outputCut is a choice where the limit is larger than a pipe, and a race below.
var outputCut = Cause{
	ID: "output-cut", Level: trial.Must,
	Title: "The end of a command's output is missing.",
	Look: "What was written last is in the pipe still when the command ends: read on to its end " +
		"before the answer.",
	explains: func(e Evidence) bool { return e.is(trial.Output) && e.cutAt() > 0 },
}

// generalCauses explain trials by their outcome.
var generalCauses = []Cause{
	{
		ID: "output-limited", Level: trial.Must, Choice: "limits-output",
		Title: "Output is cut at a limit.",
		Look:  "A limit is a choice; the dialect declares it, and the answer should say it.",
		explains: func(e Evidence) bool {
			return e.is(trial.Output) && e.cutAt() >= pipeBytes
		},
	},
	outputCut,
	{
		ID: "output-changed", Level: trial.Must,
		Title:    "A command's output is not what it wrote.",
		Look:     "Text that is decoded piece by piece, a terminal between, or another command's bytes.",
		explains: func(e Evidence) bool { return e.is(trial.Output) },
	},
	{
		ID: "end-missed", Level: trial.Must,
		Title: "A command has ended, and the answer never comes.",
		Look: "One SIGCHLD may stand for many ends, and one that comes while the reaper works " +
			"must bring it back to work.",
		explains: func(e Evidence) bool { return e.is(trial.Hung) },
	},
	{
		ID: "wrong-code", Level: trial.Must,
		Title:    "A command is answered with an exit code that is not its own.",
		Look:     "A status that is decoded wrongly, or another command's.",
		explains: func(e Evidence) bool { return e.is(trial.Wrong) },
	},
	{
		ID: "code-lost", Level: trial.Must, under: reaperHad,
		Title:    "The exit code of a command is lost.",
		Look:     "Nothing here says to whom: look for a second waiter, and for errors of waitid.",
		explains: func(e Evidence) bool { return e.is(trial.Lost) },
	},
	{
		ID:       "no-answer",
		Title:    "A command is answered with an error, or not at all.",
		Look:     "The trial's detail has what the target said.",
		explains: func(e Evidence) bool { return e.is(trial.Error) },
	},
}

// checkCauses explain promises about the sandbox.
var checkCauses = []Cause{
	{
		ID: "runs-on-after-hang-up", Level: trial.Should, Choice: "runs-on-after-hang-up",
		Title: "A command runs on when its client has gone.",
		Look:  "The end of the connection (in Go the request's context) has to end the command.",
		explains: func(e Evidence) bool {
			return e.left() && e.ran(hangsUp...) &&
				!e.ran(outlives...)
		},
	},
	{
		ID: "left-behind", Level: trial.Should, Choice: "runs-on-after-hang-up",
		Title: "Commands run on after their timeout or their client's hang-up.",
		Look:  "Kill the process group, and what has left it, with SIGKILL in the end.",
		explains: func(e Evidence) bool {
			return e.left() && e.ran(hangsUp...)
		},
	},
	{
		ID: "not-reaped", Level: trial.Should,
		Title: "Zombies stay.",
		Look:  "PID 1 has to wait for each child that it gets, also for those of others.",
		explains: func(e Evidence) bool {
			return e.check(zombies) || e.left() && e.Zombies
		},
	},
	{
		ID: "group-not-killed", Level: trial.Should,
		Title:    "Processes that a command started are left behind.",
		Look:     "Kill the process group, and what has left it, with SIGKILL in the end.",
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
