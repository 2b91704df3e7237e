package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Each thing that a command can have or do is tried alone, by its author and in the other
// scenarios. Two of them meet in code that no one has run: a timeout while the input is
// still being written, a client that goes while a background child holds the output, a
// folder and an input in one request. Most failures need no more than two values at once
// (Kuhn, Wallace and Gallo, "Software Fault Interactions", 2004). A command here has a value
// for each of eight things, and every two values of different things meet in one. What it is
// given and what it writes is drawn from pieces that somebody has a reason to change.
var _ = scenario("pairs", "what a command has and does, two things at a time",
	"is as when each is alone, and not where a naive daemon forgets the one over the other",
	func(s *session.Session) session.Experiment {
		const inFlight, spare = 8, 24
		arm := session.Arm{
			Trials: s.Scale.Trials(paired), InFlight: inFlight, Work: 2, Wait: pairLimit / 2,
			Commands: pairs(s.Seed, traits(s.Candidate.Dialect, s.Feeds()), text(s.Candidate.Dialect)),
			Deadline: waitsLimit,
			Watch: check.Settles(check.ComesBack(inFlight+spare, check.Files, check.Threads),
				check.NobodyLeft),
			Used: true,
		}
		baseline := naive(arm, "distracted", trial.Symptom(trial.Output))
		baseline.Commands = pairs(s.Seed, [][]trait{placeTraits, inputTraits}, load.Awkward)
		baseline.Trials, baseline.Watch = s.Scale.Trials(overlooked), nil
		return session.Experiment{SideBySide: true, Arms: []session.Arm{baseline, candidate(arm)}}
	})

// pairLimit is the timeout of those that outlive it.
const pairLimit = 300 * time.Millisecond

// mixture is a command in the making.
type mixture struct {
	load.Command

	nonce, text string   // text is the nonce and an awkward text
	words       []string // of its kind
	steps       []string // of its script
	out, errors string   // what these write
}

// do adds a step and what it writes to standard output.
func (m *mixture) do(step, out string) {
	m.steps, m.out = append(m.steps, step), m.out+out
	m.wrote(out)
}

// wrote says that the last word writes this next.
func (m *mixture) wrote(text string) {
	if text != "" {
		m.Want.Parts = append(m.Want.Parts, trial.Part{Word: m.words[len(m.words)-1], Bytes: len(text)})
	}
}

// does is a step that writes nothing.
func does(step string) func(m *mixture) { return func(m *mixture) { m.do(step, "") } }

// trait is a value that commands can have, and its word; without one it is the usual value.
type trait struct {
	word string
	give func(m *mixture)
}

var plain = trait{"", func(*mixture) {}}

// traits are the values that the candidate can be asked for, one list for each thing. They
// are given in this order.
func traits(d dialect.Dialect, feeds bool) [][]trait {
	inputs := []trait{plain}
	if feeds {
		inputs = append(inputs, inputTraits...)
	}
	limits, ends := []trait{plain}, []trait{plain}
	ends = append(ends, endTraits...)
	if d.TimesOut() {
		limits = append(limits, limitTraits...)
		ends = append(ends, timesOut)
	}
	if d.HangsUp() {
		ends = append(ends, hangsUpSoon)
	}
	ways := []trait{plain}
	if d.Simple() {
		ways = append(ways, trait{"asked-chunked", func(m *mixture) { m.Way = dialect.Chunked }})
	}
	return [][]trait{ways, limits, placeTraits, inputs, outputTraits, companyTraits,
		{plain, {"lasts", does("sleep 0.03")}}, ends}
}

// limitTraits are for commands that need no timeout, unless a background child has the output
// for longer and the target waits for it, or the machine is slow.
var limitTraits = []trait{
	{"in-time", func(m *mixture) { m.Timeout = time.Hour }},
	{"just-in-time", func(m *mixture) { m.Timeout, m.Want.MayTimeout = pairLimit, true }},
}

var placeTraits = []trait{plain,
	{"in-folder", func(m *mixture) {
		m.Cwd = "/proc"
		m.do("pwd -P", "/proc\n")
	}},
	{"with-variable", func(m *mixture) {
		m.Env = map[string]string{"REAPCHECK_GIVEN": m.text}
		m.do(`printf '%s\n' "$REAPCHECK_GIVEN"`, m.text+"\n")
	}},
}

var inputTraits = []trait{
	{"reads", func(m *mixture) {
		m.Stdin = new(m.text + "\n")
		m.do("cat", m.text+"\n")
	}},
	{"reads-much", func(m *mixture) {
		text, script, out := sum(filled(m.nonce, overPipe))
		m.Stdin = &text
		m.do(script, out)
	}},
	{"reads-none", func(m *mixture) { m.Stdin = new(filled(m.nonce, 2*overPipe)) }},
}

var outputTraits = []trait{plain,
	{"writes-much", func(m *mixture) {
		text, doubled := doubling(m.nonce, m.nonce, 14)
		m.do(text+`; echo "$s"`, doubled+"\n")
	}},
	{"writes-errors", func(m *mixture) {
		m.do("printf '"+octal(m.text)+"\\n' >&2", "")
		m.errors += m.text + "\n"
		m.wrote(m.errors)
	}},
	{"writes-no-newline", func(m *mixture) { m.do("printf '"+octal(m.text)+"'", m.text) }},
	// In its own words: what changes a command's text changes this.
	{"writes-quoted", func(m *mixture) {
		m.do("printf '%s\\n' "+dialect.Quote(m.text), m.text+"\n")
	}},
}

var companyTraits = []trait{plain,
	{"leaves-orphan", does("(sleep 0.05; exit 7) </dev/null >/dev/null 2>&1 &")},
	{"leaves-writer", does("sleep 0.4 </dev/null &")},
	{"leaves-session", does("setsid sleep 0.05 </dev/null >/dev/null 2>&1 &")},
	{"has-children", does("(exit 3); sh -c 'exit 4' | :")},
}

var endTraits = []trait{
	{"succeeds", func(m *mixture) { m.Want.Code = 0 }},
	{"killed", func(m *mixture) {
		m.Want.Code = 128 + 9
		m.do("kill -9 $$", "")
	}},
	{"executes", func(m *mixture) { m.do(fmt.Sprintf("exec sh -c 'exit %d'", m.Want.Code), "") }},
	{"closes-all", does("exec >&- 2>&- <&-; sleep 0.03")},
	{"cwd-missing", func(m *mixture) {
		m.Cwd, m.Want = "/nonexistent", trial.Want{NotRun: true}
	}},
}

var timesOut = trait{"times-out", func(m *mixture) {
	m.Timeout, m.Want = pairLimit, trial.Want{Timeout: true}
	m.do("sleep 1000; :", "")
}}

var hangsUpSoon = trait{"hangs-up", func(m *mixture) {
	m.HangUpAfter, m.Want = pairLimit/4, trial.Want{HangUp: true, MayTimeout: m.Want.MayTimeout}
	m.do("sleep 1000; :", "")
}}

// text makes what commands are given and write. A command that its target splits at white space
// cannot hold all of it: what is white space, and in which alphabet, each language says anew.
func text(d dialect.Dialect) func(r *rand.Rand) string {
	if d.Commands == dialect.BareWords {
		return func(*rand.Rand) string { return "" }
	}
	return load.Awkward
}

// pairs has a value of each thing: first so that every two meet, and then at random.
func pairs(seed uint64, all [][]trait, text func(r *rand.Rand) string) load.Source {
	sizes := make([]int, len(all))
	for i, values := range all {
		sizes[i] = len(values)
	}
	rows := load.Pairs(sizes, load.Random(seed, "pairs", -1))
	return func(index int, r *rand.Rand) load.Command {
		m := &mixture{Command: load.Instant(index, r)}
		m.nonce = strings.TrimSpace(m.Want.Output)
		m.text = m.nonce + text(r)
		row := load.Row(sizes, r)
		if index < len(rows) {
			row = rows[index]
		}
		for i, values := range all {
			v := values[row[i]]
			if v.word != "" {
				m.words = append(m.words, v.word)
			}
			v.give(m)
		}
		return m.made()
	}
}

// made is the command. Its kind has the words of all that is unusual about it.
func (m *mixture) made() load.Command {
	c := m.Command
	c.Kind = strings.Join(m.words, "+")
	if c.Kind == "" {
		c.Kind = "usual"
	}
	script := ""
	for _, step := range m.steps {
		if script += step; !strings.HasSuffix(step, "&") {
			script += ";"
		}
		script += " "
	}
	c.Script = script + fmt.Sprintf("exit %d", m.Want.Code)
	if c.Want.Output = m.out + m.errors; m.errors != "" && m.out != "" {
		c.Want.Merged, c.Want.Streams = true, [2]string{m.out, m.errors}
	}
	return c
}
