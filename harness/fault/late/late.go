// Package late delays the return of some of a running target's system calls, from
// outside: a process of its own traces the target's threads and keeps one at the exit
// from such a call until the delay is over, while all others go on.
//
// Start is the harness's front door. A program becomes the tracer by importing this
// package: executed with its name as argv[0], it does that work and nothing else. When
// it ends, however that comes about, the kernel lets go of the target (ptrace(2)): then
// nothing stays stopped, and nothing is delayed.
package late

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/await"
)

// Call is a system call, and which returns of it are delayed. Each of these is a hit.
type Call string

const (
	// Wait4 has taken a status, which is in no one's hands meanwhile. It is what
	// a reaper does that publishes late, for a binary without fault points. It
	// hits when a child was taken.
	Wait4 Call = "wait4"
	// Read tells whoever starts a command that this has begun: fork and exec are
	// over when the pipe between the two is at its end (syscall.forkExec in Go,
	// _posixsubprocess in Python). The command runs, and ends, meanwhile. It hits
	// once per such pipe, and never where commands are started without one, as
	// vfork(2) and posix_spawn(3) allow; see pipes.
	Read Call = "read"
	// Close ends what is left of a child that was reaped: a reaper that tells of it
	// has taken the status, and has not looked again. It hits where a pidfd is closed.
	Close Call = "close"
)

// ErrRefused means that the target cannot be traced.
var ErrRefused = errors.New("the target cannot be traced")

// errEnded means that the tracer itself has ended or does not answer.
var errEnded = errors.New("the tracer has ended before its time")

// Tracer is the tracer's process as the harness sees it. End must be called once.
type Tracer struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
}

// answer is a line of the tracer's: the first says whether all threads are traced, the
// second how often it has hit.
type answer struct {
	Hits    int64
	Problem string `json:",omitempty"`
	Refused bool   `json:",omitempty"`
}

// Start returns when each thread of the target is traced, or with an error that is
// ErrRefused. The limit bounds that.
func Start(ctx context.Context, pid int, call Call, delay time.Duration) (*Tracer, error) {
	t := &Tracer{cmd: &exec.Cmd{
		Path: "/proc/self/exe",
		Args: []string{name, strconv.Itoa(pid), string(call), delay.String()},
		Env:  []string{"GOMAXPROCS=2"}, Stderr: os.Stderr,
		// A terminal's Ctrl-C is for the harness, which ends the tracer in its turn.
		SysProcAttr: &unix.SysProcAttr{Setpgid: true},
	}}
	stdin, errIn := t.cmd.StdinPipe()
	stdout, errOut := t.cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut); err != nil {
		return nil, fmt.Errorf("start tracer: %w", err)
	}
	t.stdin, t.stdout = stdin, bufio.NewReader(stdout)
	if err := t.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start tracer: %w", err)
	}
	said, err := t.listen(ctx)
	switch {
	case err != nil:
	case said.Refused:
		err = fmt.Errorf("%w: %s", ErrRefused, said.Problem)
	case said.Problem != "":
		err = errors.New(said.Problem)
	default:
		return t, nil
	}
	t.kill()
	return nil, err
}

// End lets go of the target and says how often the delay has hit until then. An error
// means that the number is worth nothing; the target is let go all the same.
func (t *Tracer) End(ctx context.Context) (hits int64, err error) {
	defer t.kill()
	if _, err := io.WriteString(t.stdin, "\n"); err != nil {
		return 0, errEnded
	}
	said, err := t.listen(ctx)
	if err == nil && said.Problem != "" {
		err = errors.New(said.Problem)
	}
	return said.Hits, err
}

// answerLimit bounds the wait for an answer. A loaded machine has taken seconds for it.
const answerLimit = await.Broken

// listen reads an answer. A tracer that does not give it is killed.
func (t *Tracer) listen(ctx context.Context) (said answer, err error) {
	ctx, cancel := await.Limit(ctx, answerLimit)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = t.cmd.Process.Kill() })
	line, err := t.stdout.ReadBytes('\n')
	if !stop() {
		return said, fmt.Errorf("an answer of the tracer expected within %v, last saw none: %w",
			answerLimit, context.Cause(ctx))
	}
	if err != nil || json.Unmarshal(line, &said) != nil {
		return said, errEnded
	}
	return said, nil
}

// kill returns when the process has ended, and its target is free.
func (t *Tracer) kill() {
	_ = t.cmd.Process.Kill()
	_ = t.cmd.Wait()
}
