package scenarios

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// A command's input comes through a pipe as a rule, which holds 64 KiB (pipe(7)). Whoever
// writes all of it before he reads the output stops a command that writes as much as it
// reads; whoever waits until it is written waits for a command that reads none of it, or
// for a background child that has the other end. write(2) may take a part only. The input
// ends when the last copy of the writing side is closed: one that is forgotten, or that
// another command has inherited, and cat never ends. And a command that closes its input
// is not wrong: EPIPE, or the signal that comes with it, is no one's end.
var _ = answers.scenario("input", "what a command is given to read",
	"reaches it byte by byte and ends, and not all of it where a naive daemon writes one block",
	func(s *session.Session) session.Experiment {
		all := inputs(4 * s.Patience(waitsLimit))
		if s.Candidate.Dialect.TimesOut() {
			all = append(all, overtimeInputs...)
		}
		arm := session.Arm{
			Trials:   s.Scale.Trials(each(len(all), 1, 2, 10)),
			InFlight: 8, Commands: fedBy(all), ByOutput: true, ByInput: true, Work: 2,
			Deadline: waitsLimit,
		}
		baseline := naive(arm, "sipping", trial.Symptom(trial.Output))
		baseline.Trials, baseline.Commands = len(blocks), fedBy(blocks)
		// The small ones have the last place in turn, so what ends the large ones comes when all
		// of these are answered.
		beside := candidate(session.Arm{Trials: unreadAtOnce + 4, InFlight: unreadAtOnce + 1,
			Commands: besideUnread, Deadline: 8 * waitsLimit})
		beside.Name += "-beside-unread"
		return session.Experiment{SideBySide: true,
			Arms: []session.Arm{baseline, candidate(arm), beside}}
	})

// unreadAtOnce is more than whoever shares out the writing of inputs has hands for.
const unreadAtOnce = 40

// readFirst are the looks for commands that begin when the target has read their input: one
// in Perl took most of a second for each.
const readFirst = 200

// besideUnread are commands that last and read nothing of a large input, some that read a
// small one meanwhile, and one that ends the first.
func besideUnread(index int, r *rand.Rand) load.Command {
	if index < unreadAtOnce {
		c := released(index, r)
		input := strings.Repeat("x", 200_000)
		c.Kind, c.Stdin = "given-unread-for-long", &input
		return c
	}
	c := load.Instant(index, r)
	if index < unreadAtOnce+3 {
		input := strings.TrimSpace(c.Want.Output) + "\n"
		c.Kind, c.Stdin = "given-beside-unread", &input
		c.Script = fmt.Sprintf("cat; exit %d", c.Want.Code)
		return c
	}
	c = releases(c)
	c.Script = awaitSleeps(load.Endless, unreadAtOnce, readFirst) + c.Script
	return c
}

// longInput is more than a pipe holds.
var longInput = strings.Repeat("x", 2*overPipe)

// feed is a way to give a command an input: of a nonce it makes the text, the script that
// reads it and what that writes.
type feed struct {
	kind string
	make func(nonce string) (stdin, script, output string)
}

// Sizes beside those of a page, of a pipe and of usual buffers. A daemon's limit for a
// request is above the largest as a rule (limits-input).
const (
	overPipe  = 65537
	manyPipes = 8*65536 + 1
)

var blocks = []feed{
	summed(511), summed(4095), summed(4096), summed(4097), summed(8193), summed(32769),
	summed(65535), summed(65536), summed(overPipe), summed(131073), summed(manyPipes),
	// This one every image can read.
	{"given-bytes-back", func(n string) (string, string, string) {
		return back(filled(n, 4097))
	}},
}

// inputs are all but those for a target that knows timeouts.
func inputs(held time.Duration) []feed { return slices.Concat(texts, blocks, readers(held)) }

// texts are what is given, whatever reads it.
var texts = []feed{
	{"given-nothing", nothing}, {notGiven, nothing},
	{"given-one-byte", func(n string) (string, string, string) {
		return "x", "cat; echo " + n, "x" + n + "\n"
	}},
	{"given-no-newline", func(n string) (string, string, string) { return n, "cat; echo .", n + ".\n" }},
	{"given-newlines-last", func(n string) (string, string, string) {
		return "\n" + n + "\n\n", "cat; echo .", "\n" + n + "\n\n.\n"
	}},
	{"given-blanks", func(n string) (string, string, string) {
		return " \n\t \n", "cat; echo " + n, " \n\t \n" + n + "\n"
	}},
	// A mark of the byte order is text like any other (RFC 8259, 8.1, speaks of documents).
	{"given-mark", func(n string) (string, string, string) { return sum("\ufeff" + n + "\r\n") }},
	{"given-nul", func(n string) (string, string, string) { return sum(n + "\x00\x00a\x00") }},
	{"given-every-character", func(n string) (string, string, string) {
		text := n
		for c := rune(0); c <= 0xff; c++ {
			text += string(c)
		}
		return sum(text + "\u2028\ufeff\uffff😀e\u0301\u200d")
	}},
	// Three bytes each: one of them is on every boundary.
	{"given-characters", func(n string) (string, string, string) {
		return sum(n + strings.Repeat("☕", 30000))
	}},
	{"given-awkward", func(n string) (string, string, string) {
		text := "\r\n $(exit 3) `exit 3` \"'\\n%s%d \x04\x1a\x03 EOF\n.\n" + n
		return back(text)
	}},
	{"given-json", func(n string) (string, string, string) {
		return back(`{"stdin":null,"command":"exit 3"}` + n)
	}},
}

// readers are the ways to read it, or not to. One of them is held for so long: longer than
// an answer may take, and not for good, since a target at a URL runs on.
func readers(held time.Duration) []feed {
	return []feed{
		// What is written first is in the way of what is still to be read.
		{"given-and-written", func(n string) (string, string, string) {
			text := filled(n, manyPipes/2)
			return text, "cat; echo " + n, text + n + "\n"
		}},
		{"given-lines", func(n string) (string, string, string) {
			return "a " + n + "\nb\nc", `while read -r l; do echo "<$l>"; done; echo "$l"`,
				"<a " + n + ">\n<b>\nc\n"
		}},
		{"given-to-a-child", func(n string) (string, string, string) {
			return n + "\n", `sh -c 'sh -c cat; :'; echo .`, n + "\n.\n"
		}},
		{"given-by-name", func(n string) (string, string, string) {
			return n, "cat /dev/stdin", n
		}},
		{"given-to-two", func(n string) (string, string, string) {
			return "a\n" + n, `read -r l; echo "<$l>"; sh -c cat`, "<a>\n" + n
		}},
		{"given-to-the-second", func(n string) (string, string, string) {
			return n, "sh -c : </dev/null; cat", n
		}},
		{"given-late", func(n string) (string, string, string) { return later("sleep 0.1", n) }},
		{"given-in-the-background", func(n string) (string, string, string) {
			return n, "exec 3<&0; { sleep 0.05; cat; } <&3 & wait $!", n
		}},
		{"given-at-once-1", beside}, {"given-at-once-2", beside},
		// The command has ended, and who holds its input has none of its output.
		{"given-and-held", func(n string) (string, string, string) {
			return filled(n, manyPipes), fmt.Sprintf("exec 3<&0; sleep %.0f <&3 >/dev/null 2>&1 & "+
				"echo %s", held.Seconds(), n), n + "\n"
		}},
		{"given-at-once-3", beside}, {"given-at-once-4", beside},
		{"given-unread", func(n string) (string, string, string) {
			return filled(n, manyPipes), "echo " + n, n + "\n"
		}},
		{"given-unread-but-a-line", func(n string) (string, string, string) {
			return "a\n" + filled(n, manyPipes), "read -r l; echo $l " + n, "a " + n + "\n"
		}},
		{"given-and-closed", func(n string) (string, string, string) {
			return filled(n, overPipe), "exec <&-; sleep 0.05; echo " + n, n + "\n"
		}},
	}
}

// overtimeInputs are not read when the time is over.
var overtimeInputs = []feed{
	{"given-overtime", func(string) (string, string, string) { return "a", "sleep 1000; :", "" }},
	{"given-much-overtime", func(n string) (string, string, string) {
		return filled(n, manyPipes), "sleep 1000; :", ""
	}},
}

// nothing is an input that is empty.
func nothing(n string) (stdin, script, output string) { return "", "cat; echo " + n, n + "\n" }

// notGiven says nothing of an input.
const notGiven = "given-no-input"

// inputLimit is the timeout of the commands that outlive it.
const inputLimit = 200 * time.Millisecond

// summed is a text of so many bytes.
func summed(size int) feed {
	return feed{fmt.Sprintf("given-bytes-%d", size), func(n string) (string, string, string) {
		return sum(filled(n, size))
	}}
}

// sum has the command say what it has read by its sum, so that the way back has no part in
// it. An image without cksum shows only that the input ends.
func sum(text string) (stdin, script, output string) {
	output = checksum(text)
	return text, fmt.Sprintf("if command -v cksum >/dev/null; then cksum; "+
		"else cat >/dev/null; echo '%s'; fi", strings.TrimSpace(output)), output
}

// back has the command write what it reads.
func back(text string) (stdin, script, output string) { return text, "cat", text }

// filled is a text of so many bytes, in lines that differ: no block of it is like another.
func filled(nonce string, size int) string {
	var text strings.Builder
	for i := 0; text.Len() < size; i++ {
		fmt.Fprintf(&text, "%s %d\n", nonce, i)
	}
	return text.String()[:size]
}

// later reads when something else has ended.
func later(first, n string) (stdin, script, output string) {
	text := filled(n, overPipe)
	_, script, output = sum(text)
	return text, first + "; " + script, output
}

// beside reads while others do, each its own.
func beside(n string) (stdin, script, output string) { return later("sleep 0.03", n) }

// fedBy makes a command of each feed in turn.
func fedBy(all []feed) load.Source {
	return func(index int, r *rand.Rand) load.Command {
		c := load.EveryOther(index/len(all), r)
		f := all[index%len(all)]
		stdin, script, output := f.make(strings.TrimSpace(c.Want.Output))
		c.Kind, c.Script = f.kind, fmt.Sprintf("%s; exit %d", script, c.Want.Code)
		c.Want.Output = output
		if f.kind != notGiven {
			c.Stdin = &stdin
		}
		if strings.HasSuffix(f.kind, "overtime") {
			c.Timeout, c.Want = inputLimit, trial.Want{Timeout: true}
		}
		return c
	}
}
