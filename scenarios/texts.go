package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A pipe carries bytes, and a read gives what is there, up to the size of its
// buffer (read(2), pipe(7)): where one ends says nothing of characters or lines.
// Whoever makes text of each piece by itself breaks the character on the boundary
// (U+FFFD in the output of a correct command), a scanner of lines stops at a line of
// 64 KiB, a C string ends at NUL, and two pipes that are read one after the other
// stop a command that fills the second. A command may close its output and go on:
// p.poll() after the last line is None then, and `or 0` makes a code of it.
var _ = answers.scenario("texts", "text of every shape",
	"comes back byte by byte, and changed where a naive daemon makes text of what it has read piece by piece",
	func(s *session.Session) session.Experiment {
		arm := session.Arm{
			Trials:   s.Scale.Trials(each(len(shapes), 1, 2, 10)),
			InFlight: 4, Commands: shaped, ByOutput: true, Work: 3, Deadline: waitsLimit,
		}
		baseline := naive(arm, "decoding", trial.Symptom(trial.Output))
		baseline.Trials = len(shapes)
		return session.Experiment{SideBySide: true, Arms: []session.Arm{baseline, candidate(arm)}}
	})

// shape makes a text of a nonce, and says how the shell writes it.
type shape struct {
	kind string
	text func(nonce string) (script, output string)
	none bool // it is no text
}

// noText is a shape of bytes that are not UTF-8.
func noText(kind string, bytes func(nonce string) (script, output string)) shape {
	return shape{kind, bytes, true}
}

var shapes = []shape{
	{kind: "character-in-two-writes", text: func(n string) (string, string) {
		return fmt.Sprintf(`echo %s; printf '\342\230'; sleep 0.1; printf '\225\n'`, n), n + "\n☕\n"
	}},
	{kind: "character-on-every-boundary", text: func(n string) (string, string) {
		text, doubled := doubling(octal("☕"), "☕", 15)
		return text + fmt.Sprintf(`; printf '%%s%%s' x%s "$s"`, n), "x" + n + doubled
	}},
	{kind: "nul", text: func(n string) (string, string) {
		return fmt.Sprintf(`printf '%s\000a\000\n'`, n), n + "\x00a\x00\n"
	}},
	{kind: "no-newline", text: func(n string) (string, string) { return "printf " + n, n }},
	{kind: "nothing", text: func(string) (string, string) { return ":", "" }},
	{kind: "newlines", text: func(n string) (string, string) {
		return fmt.Sprintf(`printf '\n\n  \t%s \n\n \n'`, n), "\n\n  \t" + n + " \n\n \n"
	}},
	{kind: "newlines-last", text: func(n string) (string, string) {
		return fmt.Sprintf(`printf '%s\n\n\n'`, n), n + "\n\n\n"
	}},
	{kind: "carriage-returns", text: func(n string) (string, string) {
		return fmt.Sprintf(`printf '%s\r\nb\r\n\rc'`, n), n + "\r\nb\r\n\rc"
	}},
	{kind: "escapes", text: func(n string) (string, string) {
		return fmt.Sprintf(`printf '\033[31m%s\033[0m\033]0;title\007\b'`, n),
			"\x1b[31m" + n + "\x1b[0m\x1b]0;title\x07\b"
	}},
	{kind: "byte-order-mark", text: func(n string) (string, string) {
		return fmt.Sprintf(`printf '\357\273\277%s'`, n), "\ufeff" + n
	}},
	// Text, though it is what others put for what they cannot read.
	{kind: "replacement-characters", text: func(n string) (string, string) {
		const others = "\ufffd\ufffe\U0010ffff"
		return fmt.Sprintf("printf '%s%%s\\n' %s", octal(others), n), others + n + "\n"
	}},
	// What is a value in JSON or YAML is still text.
	value("1.50\n"), value("12345678901234567890\n"), value("007\n"), value("1e3"), value("true\n"),
	value("null\n"), value("\"x\"\n"), value("[ 1 ]\n"), value("{}"),
	{kind: "answer-in-answer", text: func(n string) (string, string) {
		text := fmt.Sprintf(`{"exitCode":0,"result":"%s"}`, n)
		return "printf %s '" + text + "'", text
	}},
	{kind: "one-long-line", text: func(n string) (string, string) {
		text, doubled := doubling(n, n, 14)
		return text + `; echo "$s"; echo after`, doubled + "\nafter\n"
	}},
	sized(511), sized(512), sized(513), sized(1024), sized(4095), sized(4096), sized(4097),
	sized(8192),
	sized(16384), sized(32768), sized(65535), sized(65536), sized(65537), sized(131072),
	{kind: "errors-alone", text: func(n string) (string, string) {
		text, doubled := doubling(n, n, 14)
		return text + `; echo "$s" >&2`, doubled + "\n"
	}},
	// No text at all, and bytes far behind the beginning that are none.
	noText("every-byte", func(n string) (string, string) {
		all := ""
		for b := range 256 {
			all += string([]byte{byte(b)})
		}
		return fmt.Sprintf("printf '%s'; echo %s", octal(all), n), all + n + "\n"
	}),
	noText("half-a-character-last", func(n string) (string, string) {
		return fmt.Sprintf(`printf '%s\303'`, n), n + "\xc3"
	}),
	noText("no-text-far-behind", func(n string) (string, string) {
		text, doubled := doubling(n, n, 14)
		return text + `; printf '%s\377\376' "$s"; printf '\303\050\n'`, doubled + "\xff\xfe\xc3(\n"
	}),
	// By name it is opened anew: a file is emptied by that (open(2), O_TRUNC), and a socket
	// cannot be (unix(7), ENXIO).
	{kind: "kept-by-name", text: func(n string) (string, string) {
		return fmt.Sprintf("echo %s; (echo b >/dev/stdout) 2>/dev/null || echo b; echo c", n), n + "\nb\nc\n"
	}},
	{kind: "by-name", text: func(n string) (string, string) {
		return fmt.Sprintf("echo %s; echo b >/dev/stdout; echo c", n), n + "\nb\nc\n"
	}},
	{kind: "errors-by-name", text: func(n string) (string, string) {
		return fmt.Sprintf("echo %s; echo b >/dev/stderr; echo c >&2", n), n + "\nb\nc\n"
	}},
	// The end of an output is not the end of its command, nor that of the other output.
	{kind: "errors-after-output-closed", text: func(n string) (string, string) {
		return fmt.Sprintf("echo %s; exec >&-; sleep 0.2; echo %s >&2", n, n), n + "\n" + n + "\n"
	}},
	{kind: "ends-after-its-output", text: func(n string) (string, string) {
		return fmt.Sprintf("echo %s; exec >/dev/null 2>&1; sleep 0.5", n), n + "\n"
	}},
}

// value is a text without a nonce: one would make text of it.
func value(text string) shape {
	return shape{kind: "value-" + strings.TrimSpace(text), text: func(string) (string, string) {
		return fmt.Sprintf("printf '%s'", octal(text)), text
	}}
}

// sized is a text of so many bytes, in one write.
func sized(bytes int) shape {
	return shape{kind: fmt.Sprintf("bytes-%d", bytes), text: func(n string) (string, string) {
		rest := bytes - len(n)
		return fmt.Sprintf(`s=$(printf '%%0%dd' 0); printf %%s%%s %s "$s"`, rest, n),
			n + strings.Repeat("0", rest)
	}}
}

// doubling leaves a text in $s, doubled so often.
func doubling(written, text string, times int) (script, doubled string) {
	const form = `s=$(printf '%s'); i=0; while [ $i -lt %d ]; do s=$s$s; i=$((i+1)); done`
	return fmt.Sprintf(form, written, times), strings.Repeat(text, 1<<times)
}

func shaped(index int, r *rand.Rand) load.Command {
	c := load.EveryOther(index/len(shapes), r)
	s := shapes[index%len(shapes)]
	c.Kind, c.Want.NoText = s.kind, s.none
	script, output := s.text(strings.TrimSpace(c.Want.Output))
	c.Script, c.Want.Output = fmt.Sprintf("%s; exit %d", script, c.Want.Code), output
	c.Want.Merged = strings.HasPrefix(s.kind, "errors-") // which needs both streams in one output
	return c
}
