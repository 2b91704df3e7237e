package scenarios

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strings"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// What a command wrote last is still in the pipe when it ends, up to 64 KiB of
// it (pipe(7)). Whoever answers when the process is gone, without reading on to
// the end, cuts the output now and then. And output is bytes, not JSON: quotes,
// control characters and broken UTF-8 must not break the answer.
//
// The baseline forgets the rest of a block, always. One that asked too early lost
// nothing in 60 trials now and then: a process closes its files before its parent
// hears of the end (do_exit in kernel/exit.c), so the reader is mostly ahead.
var _ = scenario("output", "what a command writes",
	"comes back to the last byte, and cut where a naive daemon forgets what it has in hand",
	func(s *session.Session) session.Experiment {
		arm := session.Arm{
			Trials: s.Scale.Trials(outputs), InFlight: 4, Commands: writes, ByOutput: true, Work: 8,
		}
		return session.Experiment{Busy: true, Divides: 24,
			Arms: []session.Arm{naive(arm, "unflushed", trial.Symptom(trial.Output)),
				candidate(arm)}}
	})

func writes(index int, r *rand.Rand) load.Command {
	return []load.Source{load.Bulk, megabyte, characters, load.Bulk, brokenText,
		bothStreams}[index%6](index, r)
}

// megabyte is many pipes full.
func megabyte(index int, r *rand.Rand) load.Command {
	const doublings = 14 // 64 bytes * 2^14
	c := load.Instant(index, r)
	line := fmt.Sprintf("%-63s\n", strings.TrimSpace(c.Want.Output))
	c.Kind = "output-1MiB"
	c.Script = fmt.Sprintf(
		"s='%s'; i=0; while [ $i -lt %d ]; do s=$s$s; i=$((i+1)); done; printf %%s \"$s\"; exit %d",
		line, doublings, c.Want.Code)
	c.Want.Output = strings.Repeat(line, 1<<doublings)
	return c
}

// characters writes each ASCII character but NUL, which no C program would
// print, and some of two, three and four bytes.
func characters(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	c.Kind = "characters"
	text := c.Want.Output
	for b := 1; b < 128; b++ {
		text += string(rune(b))
	}
	text += "äöü€\u2028😀e\u0301\u00a0\u200d\n"
	c.Script = fmt.Sprintf("printf '%s'; exit %d", octal(text), c.Want.Code)
	c.Want.Output = text
	return c
}

// brokenText is not UTF-8, and as much as is collected in several pieces. JSON cannot tell such
// bytes: where the target has no other place for them nothing is promised of the output but that
// the answer is one.
func brokenText(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	c.Kind = "broken-text"
	const before, behind = "\xff\xfe", "\xc3\x28\xed\xa0\x80"
	nonce := strings.TrimSpace(c.Want.Output)
	text, doubled := doubling(nonce, nonce, 14)
	c.Script = fmt.Sprintf(`%s; printf '%s%%s%s' "$s"; exit %d`,
		text, octal(before), octal(behind), c.Want.Code)
	c.Want.Output, c.Want.NoText = before+doubled+behind, true
	return c
}

// octal writes a text for printf(1).
func octal(text string) string {
	var s strings.Builder
	for i := range len(text) {
		fmt.Fprintf(&s, `\%03o`, text[i])
	}
	return s.String()
}

// bothStreams writes to standard output and error in turn.
func bothStreams(index int, r *rand.Rand) load.Command {
	c := load.Instant(index, r)
	c.Kind = "both-streams"
	var want, out, errors strings.Builder
	for i := range 100 {
		fmt.Fprintf(io.MultiWriter(&want, &out), "%d out\n", i)
		fmt.Fprintf(io.MultiWriter(&want, &errors), "%d err\n", i)
	}
	c.Script = fmt.Sprintf(
		"i=0; while [ $i -lt 100 ]; do echo $i out; echo $i err >&2; i=$((i+1)); done; exit %d",
		c.Want.Code)
	c.Want.Output, c.Want.Merged = want.String(), true
	c.Want.Streams = [2]string{out.String(), errors.String()}
	return c
}
