package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Request is one command to run.
type Request struct {
	// Command is given to /bin/sh -c.
	Command string
	// Dir is where it runs; empty means where the daemon runs.
	Dir string
	// Timeout ends the command; zero means that nothing but the context does.
	Timeout time.Duration
	// Env is added to the daemon's own environment.
	Env map[string]string
	// Stdin is what the command reads. Its input ends behind it, or at once if it is
	// empty. What has not been read when the command ends is thrown away.
	Stdin string

	input *input // that Stdin comes by; nil for an empty one
}

// Result is what came of a command.
type Result struct {
	// ExitCode is 0..255 as the shell would say it, or -1 where the strategy
	// does not know.
	ExitCode int
	// Output is standard output and error, merged in the order written.
	Output []byte
	// Truncated says that Output was cut at the executor's limit.
	Truncated bool
}

var (
	// ErrTimeout and ErrShuttingDown say why a command was killed. Execute
	// returns them together with a Result that has the output so far.
	ErrTimeout      = errors.New("command timed out")
	ErrShuttingDown = errors.New("daemon is shutting down")
	// ErrDir means that a command could not be started for its directory.
	ErrDir = errors.New("working directory cannot be used")
)

// Options of an Executor.
type Options struct {
	// MaxOutput is how many bytes of a command's output are kept.
	MaxOutput int
	// HeldStdoutGrace is how long to wait for the end of the output after a
	// command has ended while something it left behind holds the pipe.
	HeldStdoutGrace time.Duration
	// KillGrace is how long a command that is to end has from SIGTERM to SIGKILL.
	// With 0 it is killed at once, and no trap of its ever runs.
	KillGrace time.Duration
}

// killLimit bounds the wait for a killed command, beyond its grace. One that does
// not die in this time is stuck in the kernel, or stopped until its descendants
// are found. It is reaped when it ends.
const killLimit = 500 * time.Millisecond

// Executor runs commands. Its methods may be called from many goroutines.
type Executor struct {
	strategy Strategy
	options  Options
	// stopped is done when what still runs is to be killed, closed when all
	// that ran has been answered.
	stopped, closed context.Context
	stop, close     context.CancelFunc
	// helpers has a goroutine per open output pipe, until closed, and one per
	// kill under way.
	helpers sync.WaitGroup

	mu       sync.Mutex
	inFlight int
	refusing bool
	idle     chan struct{} // closed when refusing and inFlight is 0
}

// NewExecutor returns an executor that starts commands by strategy, which it
// closes on Shutdown.
func NewExecutor(strategy Strategy, options Options) *Executor {
	x := &Executor{strategy: strategy, options: options, idle: make(chan struct{})}
	x.stopped, x.stop = context.WithCancel(context.Background())
	x.closed, x.close = context.WithCancel(context.Background())
	return x
}

// Execute runs a command to its end. When ctx ends first the command is killed
// with its group and descendants, and the error is ctx's cause; likewise for
// the timeout and for Shutdown. ErrDir, or an error that wraps a syscall.Errno,
// means that the command could not be started.
func (x *Executor) Execute(ctx context.Context, req Request) (Result, error) {
	in, err := openInput(req.Stdin)
	if err != nil {
		return Result{}, fmt.Errorf("start command: %w", err)
	}
	defer in.end()
	req.input = in
	return x.execute(ctx, req)
}

func (x *Executor) execute(ctx context.Context, req Request) (Result, error) {
	if !x.enter() {
		return Result{}, ErrShuttingDown
	}
	defer x.leave()
	ctx, cancel := x.limit(ctx, req.Timeout)
	defer cancel()
	child, out, err := x.start(req)
	if err != nil {
		return Result{}, fmt.Errorf("start command: %w", err)
	}
	defer child.Forget()
	select {
	case <-child.Exited():
	case <-ctx.Done():
		return x.abort(child, out), context.Cause(ctx)
	}
	out.awaitEnd(x.options.HeldStdoutGrace)
	return result(child, out)
}

// limit makes the context that ends with ctx, the timeout or Shutdown.
func (x *Executor) limit(ctx context.Context, timeout time.Duration) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	unlink := context.AfterFunc(x.stopped, func() { cancel(ErrShuttingDown) })
	if timeout <= 0 {
		return ctx, func() { unlink(); cancel(nil) }
	}
	ctx, cancelTimeout := context.WithTimeoutCause(ctx, timeout, ErrTimeout)
	return ctx, func() { cancelTimeout(); unlink(); cancel(nil) }
}

// start makes one pipe for standard output and error, so that what is written
// to both stays in order, and reads it itself.
func (x *Executor) start(req Request) (Child, *output, error) {
	defer req.input.started()
	if err := checkDir(req.Dir); err != nil {
		return nil, nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	out := newOutput(r, x.options.MaxOutput)
	x.helpers.Go(func() { out.read(x.closed) })
	child, err := x.strategy.Start(command(req, w))
	w.Close()
	if err == nil {
		offerToOOM(child)
		return child, out, nil
	}
	if dirErr := checkDir(req.Dir); dirErr != nil { // gone since the first look
		err = dirErr
	}
	return nil, out, tooManyFiles(err)
}

// tooManyFiles says EMFILE where a start says EBADF: the child moves its files to
// numbers above all others (forkAndExecInChild in package syscall), and dup3(2)
// says so of a number that the limit forbids.
func tooManyFiles(err error) error {
	if errors.Is(err, syscall.EBADF) {
		return fmt.Errorf("%w: %w", syscall.EMFILE, err)
	}
	return err
}

// checkDir looks before the start: a chdir that fails in the child is not told
// from a shell that is not there.
func checkDir(dir string) error {
	if dir == "" {
		return nil
	}
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = &os.PathError{Op: "chdir", Path: dir, Err: syscall.ENOTDIR}
	}
	if err == nil {
		const execute = 1 // X_OK
		err = os.NewSyscallError("access", syscall.Access(dir, execute))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDir, err)
	}
	return nil
}

func command(req Request, w *os.File) *exec.Cmd {
	cmd := exec.Command("/bin/sh", "-c", "--", req.Command)
	cmd.Dir = req.Dir
	cmd.Stdout, cmd.Stderr = w, w
	if null := devNull(); null != nil { // a nil file would close the command's input
		cmd.Stdin = null
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if len(req.Env) > 0 {
		cmd.Env = os.Environ()
		for name, value := range req.Env {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	if req.input != nil {
		cmd.Stdin = req.input.read
	}
	return cmd
}

// devNull is the input of every command that is given none: one file for all. Nil where
// it could not be opened; os/exec then opens one for each command, or says why it cannot.
var devNull = sync.OnceValue(func() *os.File {
	f, err := os.Open(os.DevNull)
	if err != nil {
		return nil
	}
	return f
})

// abort kills the command and returns what it wrote.
func (x *Executor) abort(child Child, out *output) Result {
	x.helpers.Go(func() { killTree(child, x.options.KillGrace) })
	timer := time.NewTimer(x.options.KillGrace + killLimit)
	defer timer.Stop()
	select {
	case <-child.Exited():
		out.awaitEnd(x.options.HeldStdoutGrace)
	case <-timer.C:
	}
	data, truncated := out.take()
	return Result{ExitCode: -1, Output: data, Truncated: truncated}
}

func result(child Child, out *output) (Result, error) {
	data, truncated := out.take()
	r := Result{Output: data, Truncated: truncated}
	status, err := child.Status()
	if errors.Is(err, ErrStatusUnknown) {
		r.ExitCode = -1
		return r, nil
	}
	if err != nil && !errors.Is(err, ErrStatusLost) { // the command has run all the same
		err = fmt.Errorf("%w: %w", ErrStatusLost, err)
	}
	r.ExitCode = ExitCode(status)
	return r, err
}

func (x *Executor) enter() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.refusing {
		return false
	}
	x.inFlight++
	return true
}

func (x *Executor) leave() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.inFlight--
	if x.refusing && x.inFlight == 0 {
		close(x.idle)
	}
}

// InFlight is how many commands are being run.
func (x *Executor) InFlight() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.inFlight
}

// Strategy returns what NewExecutor was given.
func (x *Executor) Strategy() Strategy { return x.strategy }

// Shutdown refuses new commands, lets the others finish until ctx ends, kills
// those that are left, reaps what has ended and closes the strategy. It returns
// how many had to be killed. Call it once.
func (x *Executor) Shutdown(ctx context.Context) (killed int) {
	x.refuse()
	select {
	case <-x.idle:
	case <-ctx.Done():
		killed = x.InFlight()
	}
	x.stop()
	<-x.idle
	x.close()
	x.helpers.Wait()
	x.strategy.Close()
	return killed
}

func (x *Executor) refuse() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.refusing = true
	if x.inFlight == 0 {
		close(x.idle)
	}
}
