package results

import (
	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// checkCauses explain promises about the sandbox.
var checkCauses = []Cause{
	{
		ID: "runs-on-after-hang-up", Level: trial.Should, Choice: "runs-on-after-hang-up",
		Title: "A command runs on when its client has gone.",
		Look: "The end of the connection (in Go the request's context) must end the command. net/http " +
			"watches for it once the body is read to its end, which json.Decoder does not do.",
		explains: func(e evidence.Evidence) bool {
			return e.Leaves() && e.Ran(hangsUp...) && !e.Ran(outlives...) && !e.AllEnded()
		},
	},
	{
		ID: "left-the-group", Level: trial.Advice,
		Title: "What has left a command's process group runs on after its timeout or hang-up.",
		Look:  "Stop the whole tree, and find what called setsid(2) through its parents.",
		explains: func(e evidence.Evidence) bool {
			return e.Leaves() && !e.AllEnded() && e.Ran(apart...) &&
				!e.Ran("overtime-shell", "resists-shell")
		},
	},
	{
		ID: "left-behind", Level: trial.Should, Choice: "runs-on-after-hang-up",
		Title: "Commands run on after their timeout or their client's hang-up.",
		Look: "Kill the process group and what has left it, at last with SIGKILL. If only some requests " +
			"go unnoticed: read each body to its end (json.Decoder does not).",
		explains: func(e evidence.Evidence) bool {
			return e.Leaves() && e.Ran(hangsUp...) && !e.AllEnded()
		},
	},
	notReaped,
	{
		ID: "group-not-killed", Level: trial.Should,
		Title:    "Processes that a command started are left behind.",
		Look:     "Kill the process group and what has left it, at last with SIGKILL.",
		explains: func(e evidence.Evidence) bool { return e.Leaves() },
	},
	keeps,
	{
		ID: "keeps-temporary-files", Level: trial.Should,
		Title:    "Temporary files of commands that have ended are left behind.",
		Look:     "Remove them also where a start fails or the disk is full, or unlink them once open.",
		explains: func(e evidence.Evidence) bool { return e.Fails(evidence.TemporaryFiles) },
	},
	{
		ID: "floods-memory", Level: trial.Advice, Choice: "no-output-limit",
		Title: "All output is kept in memory, however much it is.",
		Look: "A limit, or an answer that is streamed; a sandbox has less memory than `yes` " +
			"has output.",
		explains: func(e evidence.Evidence) bool { return e.Fails("the target's peak memory in bytes") },
	},
	{
		ID: "thread-per-command", Level: trial.Advice, Choice: "thread-per-command",
		Title: "Each running command takes a thread.",
		Look: "A blocking wait parks one. Threads count as processes, and a Go program dies at " +
			"10,000.",
		explains: func(e evidence.Evidence) bool { return e.Fails("highest of the target's threads") },
	},
	{
		ID: "silent-when-busy", Level: trial.Should,
		Title: "The daemon does not say whether it is ready while commands run.",
		Look: "Who watches it restarts it then: " +
			"that answer must take no lock that a command holds.",
		explains: func(e evidence.Evidence) bool {
			return e.Fails("an answer to who asks whether the target is ready")
		},
	},
	{
		ID: "unwell", Level: trial.Must,
		Title:    "The daemon is not well again when the fault is over.",
		Look:     "Something that failed once was taken for good: a listener, a reaper, a lock.",
		explains: func(e evidence.Evidence) bool { return e.Fails("health after the fault") },
	},
	{
		ID: "busy", Level: trial.Should,
		Title: "The daemon keeps a CPU busy with nothing to do.",
		Look: "wait4 with WNOHANG gives 0 while children run: wait for SIGCHLD then. An event " +
			"that nobody takes, such as a client's half-close, comes back at once (epoll(7)).",
		explains: func(e evidence.Evidence) bool {
			return e.Fails("CPU time at rest", "CPU time while commands run")
		},
	},
}

// keeps is known by what checks count, and by what a command sees.
var keeps = Cause{
	ID: "keeps", Level: trial.Should,
	Title:    "Something of each command is kept: open files, threads or memory.",
	Look:     "Close pipes and pidfds, also where a start fails, a timer fires or a client goes.",
	explains: func(e evidence.Evidence) bool { return e.Fails(evidence.Held...) },
}

var notReaped = Cause{
	ID: "not-reaped", Level: trial.Should,
	Title: "Zombies stay.",
	Look: "PID 1 must wait for each of its children, also for orphans that it inherits, and also " +
		"while commands run. No second waiter may do so: see reaper-had-status.",
	explains: func(e evidence.Evidence) bool {
		return e.Fails(evidence.Zombies) || e.Leaves() && e.Zombies > 0
	},
}
