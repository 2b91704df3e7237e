package scenarios

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"

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
		arm := session.Arm{
			Trials:   s.Scale.Trials(each(len(settings), 2, 4, 20)),
			InFlight: 1, // each follows what the one before it may have left
			Commands: asSet(s.Seed, awkwardFolder(s)), ByOutput: true,
			Env: map[string]string{"REAPCHECK_OF_THE_DAEMON": "its own"},
		}
		baseline := naive(arm, "pasting", trial.Symptom(trial.Wrong), trial.Symptom(trial.Output))
		baseline.Trials = len(settings)
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
	folder, err := filepath.Abs(filepath.Join(s.Folder, "environment", name))
	if err != nil {
		return "/tmp/" + name
	}
	return folder
}

// setting is what a command is given, and what it then says.
type setting struct {
	kind string
	give func(c *load.Command, nonce, folder string)
}

var settings = []setting{
	{"makes-folder", func(c *load.Command, _, folder string) {
		// Beside the one that is meant is one that a tidied name would lead to.
		quoted := strings.ReplaceAll(folder, "'", `'\''`)
		c.Script = fmt.Sprintf("mkdir -p '%s' '%s' 2>/dev/null; %s", quoted,
			strings.TrimSpace(quoted), c.Script)
	}},
	{"folder", func(c *load.Command, _, folder string) {
		c.Cwd, c.Want.MayNotRun = folder, true // an image may have no mkdir
		says(c, "pwd -P", folder+"\n")
	}},
	{"no-folder-again", func(c *load.Command, _, folder string) {
		says(c, "case $(pwd -P) in *ours*) pwd -P;; esac", "")
	}},
	// It cannot be started, in a folder that is there.
	{"folder-of-none", func(c *load.Command, _, _ string) {
		c.Cwd, c.Script, c.Want = "/proc", c.Script+": "+strings.Repeat("x", 200<<10),
			trial.Want{Anything: true}
	}},
	{"no-folder-after-none", func(c *load.Command, _, _ string) {
		says(c, "case $(pwd -P) in /proc) pwd -P;; esac", "")
	}},
	given("spaces", "  a   b "),
	given("quotes", `it's "quoted" \ and `+"`more`"),
	given("dollars", "$HOME ${PATH} $(echo x) *"),
	given("equals", "a=b=c="),
	given("lines", "one\ntwo\n\n"),
	given("nothing", ""),
	given("characters", "Grüße ☕ 😀"),
	{"value-long", long},
	{"many", many},
	{"no-value", func(c *load.Command, _, _ string) {
		c.Env = map[string]string{"REAPCHECK_GIVEN": ""}
		says(c, `echo "${REAPCHECK_GIVEN-unset}"`, "\n")
	}},
	{"like-numbers", func(c *load.Command, _, _ string) {
		c.Env = map[string]string{"REAPCHECK_A": "007", "REAPCHECK_B": "1e3", "REAPCHECK_C": "true",
			"REAPCHECK_D": "null"}
		says(c, `echo "$REAPCHECK_A $REAPCHECK_B $REAPCHECK_C $REAPCHECK_D"`, "007 1e3 true null\n")
	}},
	{"names", func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{"reapcheck_small": nonce, "ReapCheck_Both": "2"}
		says(c, `echo "$reapcheck_small $ReapCheck_Both"`, nonce+" 2\n")
	}},
	{"names-that-filters-know", func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{}
		want := ""
		for _, name := range knownNames {
			c.Env[name] = "/" + nonce
			want += "/" + nonce + " "
		}
		says(c, `echo "$`+strings.Join(knownNames, " $")+` "`, want+"\n")
	}},
	{"names-of-no-shell", func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{"reapcheck.dotted-name": nonce}
		says(c, `e=$(tr '\0' '\n' </proc/$$/environ); case $e in *reapcheck.dotted-name=`+nonce+
			`*) echo there;; *) echo missing;; esac`, "there\n")
	}},
	{"of-the-daemon", func(c *load.Command, _, _ string) {
		says(c, "echo ${REAPCHECK_OF_THE_DAEMON-unset}", "its own\n")
	}},
	{"not-set-again", func(c *load.Command, _, _ string) {
		says(c, "echo ${REAPCHECK_GIVEN-unset}", "unset\n")
	}},
	{"own-wins", func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{"HOME": "/" + nonce, "PATH": "/" + nonce + ":/usr/bin:/bin"}
		says(c, `echo "$HOME $PATH"`, fmt.Sprintf("/%s /%s:/usr/bin:/bin\n", nonce, nonce))
	}},
	{"others-stay", func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{"REAPCHECK_GIVEN": nonce}
		says(c, `echo "${HOME:+home} $REAPCHECK_GIVEN"`, "home "+nonce+"\n")
	}},
	{"folder-and-variable", func(c *load.Command, nonce, folder string) {
		c.Cwd, c.Want.MayNotRun = folder, true
		c.Env = map[string]string{"REAPCHECK_GIVEN": nonce}
		says(c, `pwd -P; echo "$REAPCHECK_GIVEN"`, folder+"\n"+nonce+"\n")
	}},
	askedAgain("first"), askedAgain("again"),
}

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
func askedAgain(text string) setting {
	return setting{"asked-" + text, func(c *load.Command, nonce, _ string) {
		const once = ownFile +
			`if [ -s "$f" ]; then rm -f "$f"; echo again; else echo x >"$f"; echo first; fi`
		says(c, fmt.Sprintf(once, nonce), text+"\n")
	}}
}

// given is a variable of that value.
func given(kind, value string) setting {
	return setting{"value-" + kind, func(c *load.Command, nonce, _ string) {
		c.Env = map[string]string{"REAPCHECK_GIVEN": nonce + value}
		says(c, `printf %s "$REAPCHECK_GIVEN."`, nonce+value+".")
	}}
}

// says is the command's text before its nonce.
func says(c *load.Command, script, text string) {
	c.Script = script + "; " + c.Script
	c.Want.Output = text + c.Want.Output
}

func asSet(seed uint64, folder string) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		if last := len(settings) - 1; index%len(settings) == last { // what the one before it was
			r = load.Random(seed, "environment", index-1)
		}
		c := load.Instant(index, r)
		nonce := strings.TrimSpace(c.Want.Output)
		set := settings[index%len(settings)]
		c.Kind = set.kind
		set.give(&c, nonce, folder)
		return c
	}
}
