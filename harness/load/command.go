// Package load has the commands that targets are asked to execute, each built so
// that a wrong answer shows.
//
// A Source makes them, the same ones for the same seed.
package load

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Command is a shell command built so that a wrong answer shows.
type Command struct {
	// Kind names the command's shape in recordings.
	Kind string
	dialect.Request
	Want trial.Want
}

// Source makes the command of one trial from the trial's own random numbers.
type Source func(index int, r *rand.Rand) Command

// Random returns the random numbers of one trial: the same for the same seed,
// scenario and index, whatever ran before it: all arms are asked the same.
func Random(seed uint64, scenario string, index int) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s/%d", scenario, index)
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

func nonce(r *rand.Rand) string { return strconv.FormatUint(r.Uint64(), 36) }

func code(r *rand.Rand) int { return r.IntN(256) }

// Instant prints a nonce and exits, all within the shell.
func Instant(_ int, r *rand.Rand) Command {
	return instant(nonce(r), code(r))
}

// EveryOther is Instant in even rounds, and in odd ones it succeeds, as most commands do: many a
// daemon has a way of its own for that, and a code that is drawn hardly ever goes it.
func EveryOther(round int, r *rand.Rand) Command {
	if round%2 == 0 {
		return Instant(round, r)
	}
	return instant(nonce(r), 0)
}

func instant(nonce string, code int) Command {
	return Command{
		Kind:    "instant",
		Request: dialect.Request{Script: fmt.Sprintf("echo %s; exit %d", nonce, code)},
		Want:    trial.Want{Code: code, Output: nonce + "\n"},
	}
}

// EveryCode walks through 0..255 in order.
func EveryCode(index int, r *rand.Rand) Command {
	return instant(nonce(r), index%256)
}

// Lasting outlives its own start by d.
func Lasting(d time.Duration) Source {
	return func(_ int, r *rand.Rand) Command {
		c := instant(nonce(r), code(r))
		c.Kind, c.Script = fmt.Sprintf("sleep-%v", d), fmt.Sprintf("sleep %g; %s", d.Seconds(),
			c.Script)
		return c
	}
}

// Endless is how long UntilTerminated and UntilWoken would sleep.
const Endless = 1000000 * time.Second

// UntilTerminated prints a nonce and sleeps until SIGTERM ends it. It costs one
// process.
func UntilTerminated(_ int, r *rand.Rand) Command {
	n := nonce(r)
	const terminated = 128 + 15 // as the shell says it
	return Command{
		Kind: "until-terminated",
		Request: dialect.Request{Script: fmt.Sprintf("echo %s; exec sleep %.0f", n,
			Endless.Seconds())},
		Want: trial.Want{Code: terminated, Output: n + "\n"},
	}
}

// UntilWoken sleeps until its sleep(1) is ended from outside, and then exits like any
// other command. It does not die by the signal, so what a target says of signals does
// not matter, and what the shell says of it is thrown away.
func UntilWoken(index int, r *rand.Rand) Command { return OnceWoken(Instant(index, r)) }

// OnceWoken is the command behind such a sleep.
func OnceWoken(c Command) Command {
	c.Kind, c.Script = "until-woken", fmt.Sprintf("{ sleep %.0f; } 2>/dev/null; %s",
		Endless.Seconds(), c.Script)
	return c
}

// bulkBytes is the capacity of a Linux pipe (pipe(7)): more than that must be
// read while the command still runs.
const bulkBytes = 64 << 10

// Bulk prints 64 KiB without starting another program.
func Bulk(_ int, r *rand.Rand) Command {
	n, c := nonce(r), code(r)
	// Doubling in the shell is faster here than any program that it could start.
	line := n + strings.Repeat("x", 64-1-len(n))
	doublings := 10 // 64 bytes * 2^10
	script := fmt.Sprintf(
		"s='%s\n'; i=0; while [ $i -lt %d ]; do s=$s$s; i=$((i+1)); done; printf %%s \"$s\"; "+
			"exit %d", line, doublings, c)
	return Command{
		Kind:    "output-64KiB",
		Request: dialect.Request{Script: script},
		Want:    trial.Want{Code: c, Output: strings.Repeat(line+"\n", bulkBytes/64)},
	}
}

// Pipeline has three processes of which the last gives the code.
func Pipeline(_ int, r *rand.Rand) Command {
	n, c := nonce(r), code(r)
	return Command{
		Kind: "pipeline",
		Request: dialect.Request{Script: fmt.Sprintf(
			"echo %s | cat | { read l; echo $l; exit %d; }", n, c)},
		Want: trial.Want{Code: c, Output: n + "\n"},
	}
}

// Forks waits for one subshell and leaves another to be adopted by PID 1.
func Forks(_ int, r *rand.Rand) Command {
	n, c := nonce(r), code(r)
	return Command{
		Kind: "forks",
		Request: dialect.Request{Script: fmt.Sprintf(
			"(exit 3); (:) >/dev/null 2>&1 & echo %s; exit %d", n, c)},
		Want: trial.Want{Code: c, Output: n + "\n"},
	}
}

// Mixed draws from all shapes. Most are instant, since the shortest commands
// race the hardest.
func Mixed(index int, r *rand.Rand) Command {
	const instants = 12
	others := []Source{Lasting(20 * time.Millisecond), Bulk, Pipeline, Forks, Forks}
	if i := r.IntN(instants + len(others)); i < len(others) {
		return others[i](index, r)
	}
	return Instant(index, r)
}

// Seeded are the three requests by which the defect was first reported: `ls` of
// the root, `ls` of nothing, and a command that is not there. GNU's ls says 2
// for nothing and BusyBox's 1, so the shell says it where the image is not ours
// to choose. A target without a shell may say that the command cannot start.
func Seeded(index int, _ *rand.Rand) Command {
	anyOutput := func(code int) trial.Want { return trial.Want{Code: code, AnyOutput: true} }
	notFound := anyOutput(127)
	notFound.StartError = true
	return []Command{
		{"ls-root", dialect.Request{Script: "ls -al", Plain: true, Cwd: "/"}, anyOutput(0)},
		{"ls-nonexistent", dialect.Request{Script: "ls /nonexistent || exit 2"}, anyOutput(2)},
		{"not-found", dialect.Request{Script: "nonexistent-command", Plain: true}, notFound},
	}[index%3]
}
