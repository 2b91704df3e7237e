package scenarios

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A variable is a name, an equals sign and any bytes but NUL (environ(7)), and a
// folder's name is any bytes but NUL and the slash. Whoever pastes them into a
// shell's text must quote them; whoever sets them in the daemon itself (setenv(3),
// chdir(2)) sets them for all commands; and exec.Cmd.Env means just these, not these
// too. /etc/profile, which a login shell reads, sets PATH anew.
var _ = scenario("environment", "environment and folder",
	"are as they were asked for, for one command, and changed where a naive daemon pastes them into its text",
	func(s *session.Session) session.Experiment {
		all := slices.Concat(settings[:1], appears, settings[1:])
		d := s.Candidate.Dialect
		all = slices.DeleteFunc(all, func(s setting) bool {
			return s.kind == ofNoShell && !d.SaysEnv() || // a shell sets them in its stead
				s.kind == afterMistaken && !d.Simple()
		})
		arm := session.Arm{
			Trials:   s.Scale.Trials(each(len(all), 2, 4, 20)),
			InFlight: 1, // each follows what the one before it may have left
			Commands: asSet(s.Seed, awkwardFolder(s), all), ByOutput: true,
			Env: map[string]string{"REAPCHECK_OF_THE_DAEMON": "its own"},
		}
		baseline := naive(arm, "pasting", trial.Symptom(trial.Wrong), trial.Symptom(trial.Output))
		baseline.Trials = len(settings)
		baseline.Commands = asSet(s.Seed, awkwardFolder(s), settings)
		meanwhile := candidate(session.Arm{
			Trials:   s.Scale.Trials(session.Count{Floor: 16, Quick: 24, Standard: 400}),
			InFlight: 8, Bursts: true, Commands: setMeanwhile, ByOutput: true,
		})
		meanwhile.Name += "-meanwhile"
		return session.Experiment{SideBySide: true,
			Arms: []session.Arm{baseline, candidate(arm), meanwhile}}
	})

// setMeanwhile is, in turn, a command that is given a folder and a variable, and one that is
// given none while others are: a daemon that sets them in itself, and takes them back when
// the command is started, has set them for whatever starts meanwhile.
func setMeanwhile(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	if index%2 == 1 {
		c.Kind = "not-set-meanwhile"
		says(&c, `case $(pwd -P) in /proc|/dev) pwd -P;; esac; echo "${REAPCHECK_GIVEN-unset}"`,
			"unset\n")
		return c
	}
	nonce := strings.TrimSpace(c.Want.Output)
	c.Kind, c.Cwd, c.Want.MayNotRun = "set-meanwhile", []string{"/proc", "/dev"}[index/2%2], true
	c.Env = map[string]string{"REAPCHECK_GIVEN": nonce}
	says(&c, `pwd -P; echo "$REAPCHECK_GIVEN"`, c.Cwd+"\n"+nonce+"\n")
	return c
}

// awkwardFolder is made by the first command: in a container beside nothing, and on
// this machine among the run's own files.
func awkwardFolder(s *session.Session) string {
	const name = "it's $HOME & a \"folder\" * of  ours; ä "
	if s.Runtime.Name() != "namespace" {
		return "/tmp/" + name
	}
	folder, err := filepath.Abs(filepath.Join(s.Folder, made, name))
	if err != nil {
		return "/tmp/" + name
	}
	return folder
}

// made is where commands make their folders among the run's own files.
const made = "environment/made"

// tidy removes what they have left there: links, and FIFOs that keep whoever opens them waiting.
func tidy(s *session.Session) {
	_ = os.RemoveAll(filepath.Join(s.Folder, made)) // what stays is in the way of nothing
}

// setting is what a command is given, and what it then says.
type setting struct {
	kind string
	give func(c *load.Command, nonce, folder string)
	// follows says how many commands before it is the one with the same nonce; 0 has its own.
	follows int
}

var settings = []setting{
	{kind: "makes-folder", give: func(c *load.Command, _, folder string) {
		// Beside the one that is meant is one that a tidied name would lead to.
		c.Script = fmt.Sprintf("{ mkdir -p %s %s; ln -sfn /proc/self %s; } 2>/dev/null; %s",
			dialect.Quote(folder), dialect.Quote(strings.TrimSpace(folder)),
			dialect.Quote(folder+"/link"), c.Script)
	}},
	{kind: "folder", give: func(c *load.Command, _, folder string) {
		c.Cwd, c.Want.MayNotRun = folder, true // an image may have no mkdir
		says(c, "pwd -P", folder+"\n")
	}},
	{kind: "no-folder-again", give: func(c *load.Command, _, folder string) {
		says(c, "case $(pwd -P) in *ours*) pwd -P;; esac", "")
	}},
	// The kernel goes through a link before it goes up (path_resolution(7)); who tidies the
	// name first goes nowhere.
	{kind: "folder-up-from-link", give: func(c *load.Command, _, folder string) {
		c.Cwd, c.Want.MayNotRun = folder+"/link/..", true
		says(c, "pwd -P", "/proc\n")
	}},
	// It cannot be started, in a folder that is there.
	{kind: "folder-of-none", give: func(c *load.Command, _, _ string) {
		c.Cwd, c.Script, c.Want = "/proc", c.Script+": "+strings.Repeat("x", 200<<10),
			trial.Want{Anything: true}
	}},
	{kind: "no-folder-after-none", give: func(c *load.Command, _, _ string) {
		says(c, "case $(pwd -P) in /proc) pwd -P;; esac", "")
	}},
	given("spaces", "  a   b "),
	given("quotes", `it's "quoted" \ and `+"`more`"),
	given("dollars", "$HOME ${PATH} $(echo x) *"),
	given("equals", "a=b=c="),
	given("lines", "one\ntwo\n\n"),
	given("nothing", ""),
	given("characters", "Grüße ☕ 😀"),
	{kind: "value-long", give: long},
	// More than the kernel takes (execve(2), MAX_ARG_STRLEN), and never without it.
	{kind: "value-too-long", give: func(c *load.Command, _, _ string) {
		const length = 150_000
		c.Env = map[string]string{"REAPCHECK_GIVEN": strings.Repeat(".", length)}
		c.Want.MayNotRun = true
		says(c, "echo ${#REAPCHECK_GIVEN}", fmt.Sprintln(length))
	}},
	{kind: "many", give: many},
	{kind: "no-value", give: func(c *load.Command, _, _ string) {
		c.Env = map[string]string{"REAPCHECK_GIVEN": ""}
		says(c, `echo "${REAPCHECK_GIVEN-unset}"`, "\n")
	}},
	{kind: "like-numbers", give: func(c *load.Command, _, _ string) {
		c.Env = map[string]string{"REAPCHECK_A": "007", "REAPCHECK_B": "1e3", "REAPCHECK_C": "true",
			"REAPCHECK_D": "null"}
		says(c, `echo "$REAPCHECK_A $REAPCHECK_B $REAPCHECK_C $REAPCHECK_D"`, "007 1e3 true null\n")
	}},
	{kind: "names", give: func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{"reapcheck_small": nonce, "ReapCheck_Both": "2"}
		says(c, `echo "$reapcheck_small $ReapCheck_Both"`, nonce+" 2\n")
	}},
	// Who keeps them by a name in capitals, or looks for a name by how it begins, has one of them.
	{kind: "names-alike", give: func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{"REAPCHECK_PROXY": "capitals", "reapcheck_proxy": nonce,
			"REAPCHECK_PROX": "shorter", "REAPCHECK_PROXY_": "longer"}
		says(c, `echo "$REAPCHECK_PROXY $reapcheck_proxy $REAPCHECK_PROX $REAPCHECK_PROXY_"`,
			"capitals "+nonce+" shorter longer\n")
	}},
	// Of the request's own fields: what a daemon merges with them by their names.
	{kind: "names-of-fields", give: func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{"cwd": "/proc", "timeout": "0.2", "command": "exit 3", "stdin": nonce,
			"envs": nonce, "env": nonce, "user": nonce, "shell": nonce}
		says(c, `case $(pwd -P) in /proc) pwd -P;; esac; sleep 0.5; echo "$cwd $timeout $command $stdin `+
			`$envs $env $user $shell"`, "/proc 0.2 exit 3"+strings.Repeat(" "+nonce, 5)+"\n")
	}},
	{kind: "name-long", give: func(c *load.Command, nonce, _ string) {
		name := "REAPCHECK_" + strings.Repeat("X", 200)
		c.Env = map[string]string{name: nonce}
		says(c, "echo $"+name, nonce+"\n")
	}},
	{kind: "names-that-filters-know", give: func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{}
		want := ""
		for _, name := range knownNames {
			c.Env[name] = "/" + nonce
			want += "/" + nonce + " "
		}
		says(c, `echo "$`+strings.Join(knownNames, " $")+` "`, want+"\n")
	}},
	{kind: ofNoShell, give: func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{"reapcheck.dotted-name": nonce}
		says(c, `e=$(tr '\0' '\n' </proc/$$/environ); case $e in *reapcheck.dotted-name=`+nonce+
			`*) echo there;; *) echo missing;; esac`, "there\n")
	}},
	{kind: "of-the-daemon", give: func(c *load.Command, _, _ string) {
		says(c, "echo ${REAPCHECK_OF_THE_DAEMON-unset}", "its own\n")
	}},
	{kind: "not-set-again", give: func(c *load.Command, _, _ string) {
		says(c, "echo ${REAPCHECK_GIVEN-unset}", "unset\n")
	}},
	{kind: "own-wins", give: func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{"HOME": "/" + nonce, "PATH": "/" + nonce + ":/usr/bin:/bin"}
		says(c, `echo "$HOME $PATH"`, fmt.Sprintf("/%s /%s:/usr/bin:/bin\n", nonce, nonce))
	}},
	{kind: "own-emptied", give: func(c *load.Command, _, _ string) {
		c.Env = map[string]string{"HOME": "", "REAPCHECK_OF_THE_DAEMON": ""}
		says(c, `echo "<${HOME-unset}> <${REAPCHECK_OF_THE_DAEMON-unset}>"`, "<> <>\n")
	}},
	// The command's PATH is not the daemon's: its shell is where it was.
	{kind: "own-path-alone", give: func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{"PATH": "/" + nonce}
		says(c, `echo "$PATH"`, "/"+nonce+"\n")
	}},
	// A shell's text without a quote or a semicolon is still a shell's.
	{kind: "own-wins-by-tilde", give: func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{"HOME": "/" + nonce}
		c.Script, c.Want = "echo ~", trial.Want{Output: "/" + nonce + "\n"}
	}},
	// A program is looked for where its own PATH says, by whoever looks, and found there first.
	{kind: "makes-program", give: func(c *load.Command, nonce, folder string) {
		own := dialect.Quote(folder + "/" + nonce)
		c.Script = fmt.Sprintf("{ mkdir %s && cd %[1]s && { echo '#!/bin/sh'; echo 'echo %s; exit 7'; } "+
			">uname && chmod +x uname; } 2>/dev/null; %s", own, nonce, c.Script)
	}},
	{kind: "own-path-is-searched", follows: 1, give: func(c *load.Command, nonce, folder string) {
		c.Env = map[string]string{"PATH": folder + "/" + nonce + ":/usr/bin:/bin"}
		c.Script, c.Want = "uname", trial.Want{Code: 7, Output: nonce + "\n", MayNotRun: true}
	}},
	// A FIFO is no folder, and whoever opens it waits for somebody to write (fifo(7)).
	{kind: "makes-fifo", give: func(c *load.Command, nonce, folder string) {
		c.Script = fmt.Sprintf("mkfifo %s 2>/dev/null; %s", dialect.Quote(folder+"/fifo"+nonce), c.Script)
	}},
	{kind: "folder-is-fifo", follows: 1, give: func(c *load.Command, nonce, folder string) {
		c.Cwd, c.Want = folder+"/fifo"+nonce, trial.Want{NotRun: true}
	}},
	{kind: "no-others", give: noOthers},
	{kind: "others-stay", give: func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{"REAPCHECK_GIVEN": nonce}
		says(c, `echo "${HOME:+home} $REAPCHECK_GIVEN"`, "home "+nonce+"\n")
	}},
	{kind: "folder-and-variable", give: func(c *load.Command, nonce, folder string) {
		c.Cwd, c.Want.MayNotRun = folder, true
		c.Env = map[string]string{"REAPCHECK_GIVEN": nonce}
		says(c, `pwd -P; echo "$REAPCHECK_GIVEN"`, folder+"\n"+nonce+"\n")
	}},
	// An open folder can be neither unmounted nor forgotten.
	{kind: "folder-not-kept", give: func(c *load.Command, _, _ string) {
		says(c, `case $(ls -l /proc/1/fd 2>/dev/null) in *" -> "*ours*) echo kept;; esac`, "")
	}},
	askedAgain("first", 0), askedAgain("again", 1),
	// What could be read of a request that is refused for one field must not be another's.
	{kind: afterMistaken, give: func(c *load.Command, _, _ string) {
		c.Way = dialect.Mistaken
		says(c, `case $(pwd -P) in /proc) pwd -P;; esac; echo "${REAPCHECK_GIVEN-unset}"; sleep 0.5`,
			"unset\n")
	}},
}

// appears is a folder that is not there when it is first asked for, and one that becomes another.
// The baseline, which may have the same files, does not ask.
var appears = []setting{
	{kind: "folder-not-yet", give: func(c *load.Command, nonce, folder string) {
		c.Cwd, c.Want = folder+"/"+nonce, trial.Want{NotRun: true}
	}},
	{kind: "makes-folder-later", follows: 1, give: func(c *load.Command, nonce, folder string) {
		c.Script = fmt.Sprintf("mkdir %s; %s", dialect.Quote(folder+"/"+nonce), c.Script)
	}},
	{kind: "folder-now", follows: 2, give: func(c *load.Command, nonce, folder string) {
		c.Cwd = folder + "/" + nonce
		says(c, "pwd -P", c.Cwd+"\n")
	}},
	makesLong(300, 0), longFolder(300, 1), makesLong(1100, 0), longFolder(1100, 1),
	leads("/proc", "link", 0), led("/proc", "folder-by-link", 1),
	leads("/dev", "link-elsewhere", 2), led("/dev", "folder-by-link-elsewhere", 3),
}

// longPath is of folders in each other, so many bytes long: more than one folder's name may
// have, and less than a path (PATH_MAX).
func longPath(folder, nonce string, bytes int) string {
	path := folder + "/" + nonce
	for len(path) < bytes {
		path += "/" + strings.Repeat("x", min(200, bytes-len(path)))
	}
	return path
}

func makesLong(bytes, after int) setting {
	return setting{fmt.Sprint("makes-folder-of-", bytes), func(c *load.Command, nonce, folder string) {
		c.Script = fmt.Sprintf("mkdir -p %s 2>/dev/null; %s",
			dialect.Quote(longPath(folder, nonce, bytes)), c.Script)
	}, after}
}

func longFolder(bytes, after int) setting {
	return setting{fmt.Sprint("folder-of-", bytes), func(c *load.Command, nonce, folder string) {
		c.Cwd, c.Want.MayNotRun = longPath(folder, nonce, bytes), true
		says(c, "pwd -P", c.Cwd+"\n")
	}, after}
}

// leads makes a link, or has it lead elsewhere than before: where it leads is to be asked each
// time.
func leads(to, kind string, after int) setting {
	return setting{"makes-" + kind, func(c *load.Command, nonce, folder string) {
		c.Script = fmt.Sprintf("ln -sfn %s %s 2>/dev/null; %s", to, dialect.Quote(folder+"/to"+nonce),
			c.Script)
	}, after}
}

// led is a command in the folder that the link leads to.
func led(to, kind string, after int) setting {
	return setting{kind, func(c *load.Command, nonce, folder string) {
		c.Cwd, c.Want.MayNotRun = folder+"/to"+nonce, true
		says(c, "pwd -P", to+"\n")
	}, after}
}

// noOthers says which variables a command has that neither PID 1 has nor a shell makes.
func noOthers(c *load.Command, _, _ string) {
	says(c, `its=$(tr '\0' '\n' </proc/1/environ) && [ -n "$its" ] && `+
		`for v in $(tr '\0\n' '\n ' </proc/$$/environ); do n=${v%%=*}; case $v in *=*) `+
		`case $n in PWD|OLDPWD|SHLVL|_|HOME|PATH|USER|LOGNAME|SHELL|TERM|HOSTNAME) ;; `+
		`*) case "$its" in "$n="*|*"
$n="*) ;; *) echo "$n";; esac;; esac;; esac; done`, "")
}

// afterMistaken is the kind of a command behind requests with a mistake.
const afterMistaken = "nothing-mistaken"

// ofNoShell is the kind of a variable whose name no shell can set.
const ofNoShell = "names-of-no-shell"

// knownNames are those that somebody has a reason to leave out or to set anew.
var knownNames = []string{"API_KEY", "REAPCHECK_TOKEN", "DB_PASSWORD", "LD_LIBRARY_PATH", "TERM",
	"TZ", "USER", "SHELL", "EDITOR", "NODE_OPTIONS", "PYTHONPATH", "HTTP_PROXY", "DEBUG"}

// variables are as many as a program may be given, and more than a small table holds.
const variables = 100

func many(c *load.Command, nonce, _ string) {
	c.Env = map[string]string{}
	for i := range variables {
		c.Env[fmt.Sprintf("REAPCHECK_%d", i)] = nonce + strconv.Itoa(i)
	}
	says(c, fmt.Sprintf(`n=0; i=0; while [ $i -lt %d ]; do eval "v=\$REAPCHECK_$i"; `+
		`[ "$v" != %s$i ] || n=$((n+1)); i=$((i+1)); done; echo $n`, variables, nonce),
		fmt.Sprintln(variables))
}

// long is more than a page and less than one argument may have.
func long(c *load.Command, nonce, _ string) {
	const length = 60_000
	c.Env = map[string]string{"REAPCHECK_GIVEN": strings.Repeat(".", length) + nonce}
	says(c, `echo ${#REAPCHECK_GIVEN} "${REAPCHECK_GIVEN##*.}"`,
		fmt.Sprintf("%d %s\n", length+len(nonce), nonce))
}

// askedAgain is the same request twice, one after the other. Its text leaves a file
// behind, or takes away what it has left.
func askedAgain(text string, follows int) setting {
	return setting{"asked-" + text, func(c *load.Command, nonce, _ string) {
		const once = ownFile +
			`if [ -s "$f" ]; then rm -f "$f"; echo again; else echo x >"$f"; echo first; fi`
		says(c, fmt.Sprintf(once, nonce), text+"\n")
	}, follows}
}

// given is a variable of that value.
func given(kind, value string) setting {
	return setting{kind: "value-" + kind, give: func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{"REAPCHECK_GIVEN": nonce + value}
		says(c, `printf %s "$REAPCHECK_GIVEN."`, nonce+value+".")
	}}
}

// says is the command's text before its nonce.
func says(c *load.Command, script, text string) {
	c.Script = script + "; " + c.Script
	c.Want.Output = text + c.Want.Output
}

func asSet(seed uint64, folder string, all []setting) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		set := all[index%len(all)]
		if set.follows > 0 {
			r = load.Random(seed, "environment", index-set.follows)
		}
		c := load.EveryOther(index/len(all), r)
		nonce := strings.TrimSpace(c.Want.Output)
		c.Kind = set.kind
		set.give(&c, nonce, folder)
		return c
	}
}
