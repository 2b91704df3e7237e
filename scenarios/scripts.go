package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// What is put around a command becomes part of it: text behind a here-document that
// ends the command is the document's, a comment swallows it, exec and a trap go
// round it (POSIX, 2.7.4, 2.14). Whoever leaves the shell out where nothing seems to
// need one splits words otherwise, and whoever runs a command twice, or one of two
// equal ones, has not run what was asked.
var _ = scenario("scripts", "a script of every shape",
	"is run as it stands, once, and changed where a naive daemon puts text of its own around it",
	func(s *session.Session) session.Experiment {
		// Two by two: equal commands are in flight at the same time.
		arm := session.Arm{
			Trials:   s.Scale.Trials(each(scriptKinds, 2, 4, 20)),
			InFlight: 2 * scriptPairs, Bursts: true, Commands: written(s.Seed), ByOutput: true,
		}
		baseline := naive(arm, "gluing", trial.Symptom(trial.Wrong))
		baseline.Trials = 2 * scriptKinds
		return session.Experiment{SideBySide: true, Arms: []session.Arm{baseline, candidate(arm)}}
	})

// scriptPairs are in flight at a time.
const scriptPairs = 4

var scriptKinds = len(scripts) + len(twice)

// script is a text without an end of its own, with the code and the output that it
// has. N stands for a nonce, 7 for a drawn code.
type script struct {
	kind, text, output string
	code               int
}

// foreignEscapes means nothing to the shell within quotes.
const foreignEscapes = `&amp;&lt;b>+%20%41 {{x}} {0} {} ${x} $x $(x) \n\t\u0041\x41 !! ~ ;|#`

// drawn is a script's code that is drawn.
const drawn = -1

var scripts = []script{
	{"here-document", "cat <<'E'\nN $HOME\nE", "N $HOME\n", 0},
	{"here-document-last", "echo N\ncat <<E\n\nE\n", "N\n\n", 0},
	{"comment", "echo N; (exit 7) # note", "N\n", drawn},
	{"fails", "set -eu; echo N; false; echo not this", "N\n", 1},
	{"goes-on", "false; echo N; exit 7", "N\n", drawn},
	{"trap", "trap 'exit 7' EXIT; echo N", "N\n", drawn},
	{"last-counts", "echo N; false", "N\n", 1},
	{"exec", "exec sh -c 'echo N; exit 7'", "N\n", drawn},
	{"exec-in-the-middle", "echo N\nexec false\necho not this", "N\n", 1},
	{"return", "f() { return 7; }; echo N; f", "N\n", drawn},
	{"background-last", "echo N; (exit 7) >/dev/null 2>&1 & wait $!", "N\n", drawn},
	{"pipe-last", "echo N | { read -r l; echo $l; exit 7; }", "N\n", drawn},
	{"open-quote", "echo 'N", "", 2},
	{"characters", "echo Grüße-N ☕", "Grüße-N ☕\n", 0},
	{"quotes", `echo 'a  b' "N  'c'" '*' "\\" a\ \ b`, "a  b N  'c' * \\ a  b\n", 0},
	{"words-alone", `printf '%s,' a "N  b" 'c  d' '*'`, "a,N  b,c  d,*,", 0},
	{"space-last", `printf '%s|' N\ `, "N |", 0},
	{"lines", "\n\nx=N\nif [ -n \"$x\" ]\nthen\n  echo $x\nfi\n\n(exit 7)\n\n", "N\n", drawn},
	{"arguments", `echo "$#" N`, "0 N\n", 0},
	{"reads-input", "cat\necho N\nexit 7", "N\n", drawn},
	{"reads-input-in-the-middle", "cat\necho N\n: " + strings.Repeat("x", 20_000) + "\nexit 7",
		"N\n", drawn},
	{"very-long", ": " + strings.Repeat("x", 100_000) + "\necho N; exit 7", "N\n", drawn},
	{"brace-last", "{ echo N; (exit 7); }", "N\n", drawn},
	{"carriage-returns", "printf '%s|' 'N\r\nb\r'", "N\r\nb\r|", 0},
	{"white-space", "printf '%s|' 'N\ta  b\v\f' '\u00a0'", "N\ta  b\v\f|\u00a0|", 0},
	// Two ways to write a letter (Unicode, Annex 15), and signs that are letters by one of them.
	{"letters-in-parts", "printf '%s|' 'e\u0301\u00e9N' '\u212b\ufb01\uff11' '\u200b\u202e\ufeff'",
		"e\u0301\u00e9N|\u212b\ufb01\uff11|\u200b\u202e\ufeff|", 0},
	// What HTML, URLs, templates and other languages make something else of.
	{"others-escapes", "cat <<'E'\n" + foreignEscapes + "N\nE\n(exit 7)", foreignEscapes + "N\n",
		drawn},
	{"pipe-head-fails", "false | echo N", "N\n", 0},
	{"unset", `echo "N$reapcheck_unset"; exit 7`, "N\n", drawn},
	{"backslash-newline", "echo N\\\n.\nexit 7", "N.\n", drawn},
}

// written makes a pair of each script, and each of a pair waits for the other.
func written(seed uint64) load.Source {
	return func(index int, _ *rand.Rand) load.Command {
		pair := index / 2
		r := load.Random(seed, "scripts", pair)
		c := load.Instant(pair, r)
		turn := pair % scriptKinds
		if turn >= len(scripts) {
			return twice[turn-len(scripts)](c)
		}
		s := scripts[turn]
		fill := strings.NewReplacer("N", strings.TrimSpace(c.Want.Output), "7",
			fmt.Sprint(c.Want.Code)).Replace
		c.Kind, c.Script, c.Want.Output = s.kind, fill(s.text), fill(s.output)
		if s.code != drawn {
			c.Want.Code = s.code
		}
		c.Want.AnyOutput = s.kind == "open-quote"
		return c
	}
}

// twice are the scripts that notice how often they are run.
var twice = []func(load.Command) load.Command{meets, runsOnce("not-found", "exit 127", 127),
	runsOnce("not-executable", "exit 126", 126), runsOnce("try-again", "exit 75", 75),
	runsOnce("killed-code", "exit 137", 137), runsOnce("killed", "kill -9 $$", 137)}

// ownFile names a file, in $f, by which commands in one sandbox know of each other.
// Sandboxes may share their files, but no mount.
const ownFile = `read -r d _ </proc/$$/mountinfo; f=${TMPDIR:-/tmp}/reapcheck-%s-$d; `

// leavesMark is a file of each run of one command, soon removed.
const leavesMark = ownFile +
	`{ (sleep 3; rm -f "$f"-*) >/dev/null 2>&1 & }; : >"$f-$$"; set -- "$f"-*; `

// meets ends when both of a pair have been there.
func meets(c load.Command) load.Command {
	nonce := strings.TrimSpace(c.Want.Output)
	const wait = `i=0; while set -- "$f"-*; [ $# -lt 2 ]; do i=$((i+1)); ` +
		`[ $i -lt 60 ] || { echo alone; exit %d; }; sleep 0.05; done; `
	c.Kind = "once-each"
	c.Script = fmt.Sprintf(leavesMark, nonce) + fmt.Sprintf(wait, (c.Want.Code+1)%256) + c.Script
	return c
}

// runsOnce ends in a way that some take for a reason to try again: of a pair there are two
// runs and no more.
func runsOnce(kind, ends string, code int) func(load.Command) load.Command {
	return func(c load.Command) load.Command {
		nonce := strings.TrimSpace(c.Want.Output)
		c.Kind, c.Want.Code = "once-"+kind, code
		const twice = `[ $# -le 2 ] || { echo again; exit 1; }; echo %s; %s`
		c.Script = fmt.Sprintf(leavesMark, nonce) + fmt.Sprintf(twice, nonce, ends)
		return c
	}
}
