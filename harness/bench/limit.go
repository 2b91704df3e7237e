package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/reapcheck/reapcheck/harness/trial"
)

// limitArm is the machine's own limit: the same commands, started and judged by
// threads of a C program, on this machine and without a sandbox.
type limitArm struct {
	program string
	seed    uint64 // of the next turn
}

// errNoCompiler means that this machine has no C compiler.
var errNoCompiler = errors.New("there is no C compiler (cc) on this machine")

// compileLimit builds the program in folder. Folder is the caller's to remove, and
// seed is of its commands.
func compileLimit(ctx context.Context, folder string, text []byte, seed uint64) (*limitArm, error) {
	compiler, err := exec.LookPath("cc")
	if err != nil {
		return nil, errNoCompiler
	}
	source, program := filepath.Join(folder, "spawnlimit.c"), filepath.Join(folder, "spawnlimit")
	if err := os.WriteFile(source, text, 0o644); err != nil {
		return nil, fmt.Errorf("build spawnlimit: %w", err)
	}
	out, err := exec.CommandContext(ctx, compiler, "-O2", "-pthread", "-o", program, source).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("build spawnlimit: %w\n%s", errors.Join(context.Cause(ctx), err), out)
	}
	return &limitArm{program: program, seed: seed}, nil
}

func (a *limitArm) turn(ctx context.Context, inFlight int, length time.Duration) (turn, error) {
	bounded, cancel := context.WithTimeout(ctx, length+deadline)
	defer cancel()
	cmd := exec.CommandContext(bounded, a.program, strconv.Itoa(inFlight), strconv.FormatInt(length.Milliseconds(), 10), strconv.FormatUint(a.seed, 10))
	// A command's environment is copied into it: that of a sandbox is as short.
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "TMPDIR=" + filepath.Dir(a.program)}
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
			return turn{}, fmt.Errorf("read spawnlimit: %q is no time", lines.Text())
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
