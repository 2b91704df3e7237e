package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/reapcheck/reapcheck/harness/load"
	"github.com/reapcheck/reapcheck/harness/parallel"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// racer is one of the things whose rates are compared.
type racer interface {
	// turn keeps so many requests in flight for so long and waits for the last
	// answer. An error means that the racer cannot be measured any more; a bad
	// answer is counted.
	turn(ctx context.Context, inFlight int, length time.Duration) (turn, error)
}

// turn is what one turn of one contestant came to.
type turn struct {
	times    *hdrhistogram.Histogram // microseconds
	took     time.Duration           // from the first request to the last answer
	outcomes Outcomes
	why      string
	cost     Cost // of all its executions together
}

// Cost is CPU time by who spent it. Unlike a rate it hardly depends on what
// else the machine does.
type Cost struct {
	// Client is the harness's own, Daemon the target's, Commands that of the
	// processes that it started.
	Client, Daemon, Commands time.Duration
}

func (c Cost) plus(d Cost) Cost {
	return Cost{c.Client + d.Client, c.Daemon + d.Daemon, c.Commands + d.Commands}
}

func (c Cost) minus(d Cost) Cost {
	return Cost{c.Client - d.Client, c.Daemon - d.Daemon, c.Commands - d.Commands}
}

func (c Cost) all() time.Duration { return c.Client + c.Daemon + c.Commands }

func (t turn) perSecond() float64 { return float64(t.times.TotalCount()) / t.took.Seconds() }

// daemonRacer asks a daemon to execute commands.
type daemonRacer struct {
	*daemon
	commands load.Source
	next     int // the index of the next command
}

func (a *daemonRacer) turn(ctx context.Context, inFlight int, length time.Duration) (turn, error) {
	a.connect(ctx, inFlight)
	bounded, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	before, err := a.cost()
	if err != nil {
		return turn{}, errors.Join(err, a.ended())
	}
	came := newAnswers()
	began := time.Now()
	begun, _ := parallel.Do(bounded, a.next, math.MaxInt, inFlight, func(i int) {
		a.execute(ctx, a.commands, i, deadline, came)
	})
	took := time.Since(began)
	a.next += begun
	after, err := a.cost()
	return turn{came.times, took, came.outcomes, came.why, after.minus(before)},
		errors.Join(context.Cause(ctx), a.ended(), err)
}

// connect leaves open what connections the turn needs. Each one more is a file
// that every child of the daemon closes on its way to exec: 250 left over from an
// earlier turn were seen to cost 0.1 ms of CPU time per execution.
func (a *daemonRacer) connect(ctx context.Context, inFlight int) {
	a.client.Idle()
	asked := refused
	if !a.ours { // who knows what it makes of nothing
		asked = load.Instant
	}
	_, _ = parallel.Do(ctx, 0, inFlight, inFlight, func(i int) {
		a.execute(ctx, asked, i, deadline, newAnswers())
	})
}

// cost is what was spent since the start of each process.
func (a *daemonRacer) cost() (Cost, error) {
	client, err := probe.CPUTime(os.Getpid())
	if err != nil {
		return Cost{}, err
	}
	cost := Cost{Client: client}
	for _, own := range a.own {
		p, err := probe.LookAt(own.PID)
		if err != nil {
			return Cost{}, err
		}
		spent, err := probe.CPUTime(own.PID)
		if err != nil {
			return Cost{}, err
		}
		cost.Daemon += spent
		cost.Commands += p.Reaped
	}
	return cost, nil
}

// refused is asked for where nothing is to be executed: the daemon reads the
// request, finds no command in it and says so.
func refused(int, *rand.Rand) load.Command {
	return load.Command{Kind: "refused", Want: trial.Want{NotRun: true}}
}

// limitRacer is the machine's own limit: the same commands, started and judged by
// threads of a C program, on this machine and without a sandbox.
type limitRacer struct {
	program string
	seed    uint64 // of the next turn
}

// errNoCompiler means that this machine has no C compiler.
var errNoCompiler = errors.New("there is no C compiler (cc) on this machine")

// compileLimit builds the program in folder. Folder is the caller's to remove, and
// seed is of its commands.
func compileLimit(ctx context.Context, folder string, text []byte, seed uint64) (
	*limitRacer, error) {
	compiler, err := exec.LookPath("cc")
	if err != nil {
		return nil, errNoCompiler
	}
	source, program := filepath.Join(folder, "spawnlimit.c"), filepath.Join(folder, "spawnlimit")
	if err := os.WriteFile(source, text, 0o644); err != nil {
		return nil, fmt.Errorf("build spawnlimit: %w", err)
	}
	out, err := exec.CommandContext(ctx, compiler, "-O2", "-pthread", "-o", program,
		source).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("build spawnlimit: %w\n%s", errors.Join(context.Cause(ctx), err),
			out)
	}
	return &limitRacer{program: program, seed: seed}, nil
}

func (a *limitRacer) turn(ctx context.Context, inFlight int, length time.Duration) (turn, error) {
	bounded, cancel := context.WithTimeout(ctx, length+deadline)
	defer cancel()
	cmd := exec.CommandContext(bounded, a.program, strconv.Itoa(inFlight),
		strconv.FormatInt(length.Milliseconds(), 10), strconv.FormatUint(a.seed, 10))
	// A command's environment is copied into it: that of a sandbox is as short.
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=/", "TMPDIR=" + filepath.Dir(a.program)}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	a.seed++
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return turn{}, context.Cause(ctx)
	}
	if err != nil {
		return turn{}, fmt.Errorf("run spawnlimit: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	t, err := readLimit(out)
	// The shells that it has waited for are in its own time.
	t.cost.Commands = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return t, err
}

// readLimit reads nanoseconds, one number to a line: the whole turn's, and then
// each command's. The program ends with an error where an answer is wrong.
func readLimit(text []byte) (turn, error) {
	t := turn{times: newTimes(), outcomes: Outcomes{}}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		n, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil || n <= 0 {
			return turn{}, fmt.Errorf("read spawnlimit: %q is not a time", lines.Text())
		}
		took := time.Duration(n)
		if t.took == 0 {
			t.took = took
			continue
		}
		t.outcomes[trial.OK]++
		if err := t.times.RecordValue(took.Microseconds()); err != nil {
			return turn{}, fmt.Errorf("read spawnlimit: %w", err)
		}
	}
	if t.times.TotalCount() == 0 {
		return turn{}, errors.New("read spawnlimit: it has measured nothing")
	}
	return t, lines.Err()
}
