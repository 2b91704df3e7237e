package tracer

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/await"
)

// Tracer is a tracer's process as the harness sees it. Its methods may be called
// from many goroutines; each waits for the one before it.
type Tracer struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser

	mu      sync.Mutex
	answers *bufio.Reader
}

// Start executes this program once more as a tracer. Close ends it.
func Start() (*Tracer, error) {
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{name}, Env: []string{"GOMAXPROCS=2"}, Stderr: os.Stderr,
		// A terminal's Ctrl-C is for the harness, which ends the tracer in its turn.
		SysProcAttr: &unix.SysProcAttr{Setpgid: true},
	}
	stdin, errIn := cmd.StdinPipe()
	stdout, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut); err != nil {
		return nil, fmt.Errorf("start tracer: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start tracer: %w", err)
	}
	return &Tracer{cmd: cmd, stdin: stdin, answers: bufio.NewReader(stdout)}, nil
}

// PID is the tracer's.
func (t *Tracer) PID() int { return t.cmd.Process.Pid }

// Close lets the target go, or, where it was seized with kill, ends it with the
// tracer.
func (t *Tracer) Close() error {
	err := t.stdin.Close()
	timer := time.AfterFunc(await.Broken, func() { _ = t.cmd.Process.Kill() })
	defer timer.Stop()
	if errWait := t.cmd.Wait(); errWait != nil {
		err = errors.Join(err, fmt.Errorf("end tracer: %w", errWait))
	}
	return err
}

// Seize traces a process from its next execve on. With kill the kernel kills it when
// the tracer ends, however that comes about: for a sandbox of one's own.
func (t *Tracer) Seize(pid int, kill bool) error {
	return t.do(request{Op: opSeize, PID: pid, Kill: kill})
}

// Begin stops the target's clock and holds its events from now on. Commands are
// counted from 1 again.
func (t *Tracer) Begin(watch Watch) error { return t.do(request{Op: opBegin, Watch: watch}) }

// Release lets one held event go.
func (t *Tracer) Release(id int) error { return t.do(request{Op: opRelease, ID: id}) }

// Advance moves the target's clock.
func (t *Tracer) Advance(by time.Duration) error { return t.do(request{Op: opAdvance, By: by}) }

// Set puts the target's wall clock forward, or back: no time passes by that.
func (t *Tracer) Set(by time.Duration) error { return t.do(request{Op: opSet, By: by}) }

// Terminate sends SIGTERM to the target.
func (t *Tracer) Terminate() error { return t.do(request{Op: opTerm}) }

// End lets everything go that is held, and holds nothing more. The clock stays where
// it is until Advance.
func (t *Tracer) End() error { return t.do(request{Op: opEnd}) }

// Rest waits until everybody is held or asleep, and the target has read what its clients
// have said and seen who has gone.
func (t *Tracer) Rest(limit time.Duration, after Clients) (Rest, error) {
	answer, err := t.ask(request{Op: opRest, Limit: limit, Clients: after}, limit+await.Broken)
	if err == nil && answer.Rest == nil {
		err = errors.New("the tracer answered without a rest")
	}
	if err != nil {
		return Rest{}, err
	}
	return *answer.Rest, nil
}

func (t *Tracer) do(r request) error {
	_, err := t.ask(r, await.Broken)
	return err
}

// ask kills a tracer that does not answer: what it has seized with kill goes with it.
func (t *Tracer) ask(r request, limit time.Duration) (answer reply, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	timer := time.AfterFunc(limit, func() { _ = t.cmd.Process.Kill() })
	defer timer.Stop()
	line, err := json.Marshal(r)
	if err == nil {
		_, err = t.stdin.Write(append(line, '\n'))
	}
	if err == nil {
		line, err = t.answers.ReadBytes('\n')
	}
	if err == nil {
		err = json.Unmarshal(line, &answer)
	}
	if err != nil {
		return answer, fmt.Errorf("%w: an answer to %s expected within %v: %w", ErrTracer, r.Op, limit, err)
	}
	switch {
	case answer.Declined:
		return answer, ErrTraces
	case answer.Error != "":
		return answer, errors.New(answer.Error)
	}
	return answer, nil
}

// ErrTracer means that the tracer itself has ended or does not answer.
var ErrTracer = errors.New("the tracer has failed")
