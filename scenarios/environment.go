package scenarios

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
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
			Commands: asSet(awkwardFolder(s)), ByOutput: true,
		}
		control := naive(arm, "pasting", trial.Symptom(trial.Wrong), trial.Symptom(trial.Output))
		control.Trials = len(settings)
		return session.Experiment{SideBySide: true, Arms: []session.Arm{control, candidate(arm)}}
	})

// awkwardFolder is made by the first command: in a container beside nothing, and on
// this machine among the run's own files.
func awkwardFolder(s *session.Session) string {
	const name = "it's $HOME & a \"folder\" * of  ours; ä"
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
		c.Script = "mkdir -p '" + strings.ReplaceAll(folder, "'", `'\''`) + "' 2>/dev/null; " + c.Script
	}},
	{"folder", func(c *load.Command, _, folder string) {
		c.Cwd, c.Want.MayNotRun = folder, true // an image may have no mkdir
		says(c, "pwd -P", folder+"\n")
	}},
	{"no-folder-again", func(c *load.Command, _, folder string) {
		says(c, "case $(pwd -P) in *ours*) pwd -P;; esac", "")
	}},
	given("spaces", "  a   b "),
	given("quotes", `it's "quoted" \ and `+"`more`"),
	given("dollars", "$HOME ${PATH} $(echo x) *"),
	given("equals", "a=b=c="),
	given("lines", "one\ntwo\n\n"),
	given("nothing", ""),
	given("characters", "Grüße ☕ 😀"),
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

func asSet(folder string) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		c := load.Instant(index, r)
		nonce := strings.TrimSpace(c.Want.Output)
		set := settings[index%len(settings)]
		c.Kind = set.kind
		set.give(&c, nonce, folder)
		return c
	}
}
