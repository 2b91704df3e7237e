package scenarios

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/check"
	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/evidence"
	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/session"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// What goes well is tidied up, since someone looks at it. A timeout, a client that
// has gone, a start that fails and an output that no one will ask for again leave by
// other ways, each with its own list of what to close, stop and forget. Thousands of
// them are a day's work. And they are the commands' own affair: no count of them is a reason to
// refuse the next one.
var _ = should("grows", "what commands leave behind that do not go well",
	"is nothing either, of each kind, where a naive daemon keeps something of every one",
	func(s *session.Session) session.Experiment {
		const inFlight = 16
		arm := session.Arm{
			Trials:   s.Scale.Trials(each(ways, growing, growing, 2500)),
			InFlight: inFlight, Commands: goesWrong(keptOutput, s.Feeds()), Work: 3,
			// What spins after one of these ends spins for good.
			Temp: roomForFiles,
			Watch: check.All(
				check.Settles(check.ComesBack(inFlight+spareThreads, check.Files, check.Threads),
					check.NobodyLeft, check.ComesBack(heapFor*inFlight, check.Memory)),
				check.TemporaryFiles(inFlight),
				check.Rests,
			),
			// A heap that is collected grows to what suits it, once: Node.js was seen to
			// keep 72 MiB. A leak goes on.
			SeenTwice: check.Only(check.Memory),
		}
		baseline := naive(arm, "hoarding", check.TooMany(check.Files), check.TooMany(check.Threads),
			check.TooMany(check.Processes), trial.FailedCheck(evidence.TemporaryFiles))
		baseline.Trials, baseline.Deadline = growing, 300*time.Millisecond
		baseline.Commands = goesWrong(1, false) // what it keeps of a command is not its output
		arms := []session.Arm{baseline, candidate(arm)}
		if s.Candidate.Dialect.TimesOut() {
			// Who looks for what has left its group opens something for each of these.
			apart := candidate(session.Arm{
				Trials: growing, InFlight: inFlight, Commands: leavesItsGroup,
				Watch: check.Settles(
					check.ComesBack(inFlight+spareThreads, check.Files, check.Threads),
					check.NobodyLeft),
			})
			apart.Name += leftGroup
			arms = append(arms, apart)
		}
		return session.Experiment{SideBySide: true, Arms: append(arms, inARow(s.Candidate.Dialect))}
	})

// rowAtOnce is how many commands there are at a time, and rowOf how many go wrong one after the
// other: a breaker opens after three to twenty as a rule.
const rowAtOnce, rowOf = 12, 4 * 12

// inARow has so many commands go wrong in one way and in no other, and right behind them some
// with which nothing is wrong. Who takes the failures of commands for its own refuses those.
func inARow(d dialect.Dialect) session.Arm {
	rows := []look{{"failed-starts", ""}, {"failures", "exit 1"}, {"kills", "kill -9 $$"}}
	if d.TimesOut() {
		rows = append(rows, look{"timeouts", "sleep 1000; :"})
	}
	if d.HangsUp() {
		rows = append(rows, look{"hang-ups", "sleep 1000; :"})
	}
	arm := candidate(session.Arm{
		Trials: len(rows) * (rowOf + rowAtOnce), InFlight: rowAtOnce, Bursts: true,
		Commands: func(index int, r *rand.Rand) load.Command {
			row := rows[index/(rowOf+rowAtOnce)]
			if index%(rowOf+rowAtOnce) >= rowOf {
				c := load.Instant(index, r)
				c.Kind = "after-" + row.kind
				return c
			}
			return oneOf(row, index, r)
		},
	})
	arm.Name += "-in-a-row"
	return arm
}

// oneOf is a command of a row.
func oneOf(row look, index int, r *rand.Rand) load.Command {
	c := load.Command{Kind: row.kind, Request: dialect.Request{Script: row.script}}
	switch row.kind {
	case "failed-starts":
		return cannotStart(index%2, r)
	case "failures":
		c.Want.Code = 1
	case "kills":
		c.Want.Code = 128 + 9
	case "timeouts":
		c.Timeout, c.Want = overtimeLimit/5, trial.Want{Timeout: true}
	case "hang-ups":
		c.HangUpAfter, c.Want = 50*time.Millisecond, trial.Want{HangUp: true}
	}
	return c
}

// leavesItsGroup outlives its timeout, and so does its child, in a session of its own.
func leavesItsGroup(int, *rand.Rand) load.Command {
	c := load.Command{Kind: "overtime-apart-kept", Want: trial.Want{Timeout: true}}
	c.Script, c.Timeout = overtimesApart[0].script, overtimeLimit
	return c
}

const (
	// growing is how many of each kind there are: more than the slack of the checks,
	// if each leaves one.
	growing = 60
	// ways is how many commands make one round: six of them cannot start, which costs
	// next to nothing. A place that is not given back shows when the last one is taken,
	// and 600 commands take 512 of them.
	ways = 10
	// spareThreads is what a runtime may start meanwhile for its own purposes.
	spareThreads = 16
	// keptOutput of each of them is far above what memory may grow by.
	keptOutput = 1 << 20
	// roomForFiles is enough for each output that is in flight, in a file or two.
	roomForFiles = 256 << 20
	// heapFor is what a heap keeps for each output that was in flight: three copies of
	// it, on its way into an answer. 24 MiB for sixteen have been seen.
	heapFor = 3 * keptOutput
)

// goesWrong is each way out in turn; what writes output writes so many bytes. What cannot
// start is given an input all the same, every second time, if it can be.
func goesWrong(output int, feeds bool) load.Source {
	writes := fmt.Sprintf("head -c %d /dev/zero | tr '\\0' x", output)
	return func(index int, r *rand.Rand) load.Command {
		c := load.Instant(index, r)
		switch way := index % ways; way {
		case 0:
			c.Kind, c.Script, c.Timeout = "times-out", writes+"; sleep 1000; :", 200*time.Millisecond
			c.Want = trial.Want{Timeout: true}
		case 1:
			c.Kind, c.Script, c.HangUpAfter = "hangs-up", "sleep 1000; :", 50*time.Millisecond
			c.Want = trial.Want{HangUp: true}
		case 3, 9:
			nonce := strings.TrimSpace(c.Want.Output)
			c.Kind, c.Script = "writes", fmt.Sprintf("%s; echo %s; kill -9 $$", writes, nonce)
			c.Want.Output, c.Want.Code = strings.Repeat("x", output)+nonce+"\n", 128+9
			if way == 9 { // what waits for it until then must not keep the output for as long
				c.Timeout = time.Hour
			}
		default: // in a folder that is not there, or, in every second round, half of them too long
			c = cannotStart(3*(index/ways%2)*(way/2%2), r)
			if feeds && way%2 == 0 {
				c.Stdin = &longInput
			}
		}
		return c
	}
}
