package driver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/kballard/go-shellquote"

	"github.com/reapcheck/reapcheck/harness/dialect"
	"github.com/reapcheck/reapcheck/harness/trial"
)

// Words splits a command line once, as a shell does: quotes and backslashes are honoured,
// and nothing is expanded.
func Words(line string) ([]string, error) {
	words, err := shellquote.Split(line)
	if err == nil && len(words) == 0 {
		err = errors.New("it has no word")
	}
	if err != nil {
		return nil, fmt.Errorf("split command line %q: %w", line, err)
	}
	return words, nil
}

// script is the placeholder of the command itself, which must be a word of its own.
const script = "{script}"

// Placeholders are all that a command line of --exec may hold.
var Placeholders = []string{script, "{container}", "{pid}", "{url}", "{host}", "{port}", "{root}"}

var placeholder = regexp.MustCompile(`\{[a-z]+\}`)

// CheckExec says what is wrong with a command line for NewExec.
func CheckExec(words []string) error {
	for _, word := range words {
		for _, name := range placeholder.FindAllString(word, -1) {
			switch {
			case !slices.Contains(Placeholders, name):
				return fmt.Errorf("unknown placeholder %s: choose from %s", name,
					strings.Join(Placeholders, ", "))
			case name == script && word != script:
				return fmt.Errorf("%s in %q must be a word of its own, as in /bin/sh -c %s", script,
					word, script)
			}
		}
	}
	if !slices.Contains(words, script) {
		return fmt.Errorf("the command line must hold the word %s", script)
	}
	return nil
}

// GoesAround says whether a command line enters the sandbox itself: what it starts there
// is no child of the target, whose waits have no part in the answer.
func GoesAround(words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool {
		return strings.Contains(word, "{container}") || strings.Contains(word, "{pid}") ||
			strings.Contains(word, "{root}")
	})
}

// ExecDialect describes what a command line can say: its process has an exit status and
// two streams, whose order among each other it may not keep.
func ExecDialect(words []string, port int) dialect.Dialect {
	return dialect.Spoken(words[0], port, dialect.Can{Output: true})
}

// Exec starts a process for each command. It may be used by many goroutines.
type Exec struct {
	words []string
	place Place
	most  int

	mu     sync.Mutex
	broken error
}

// NewExec checks the command line against the place.
func NewExec(words []string, place Place, inFlight int) (*Exec, error) {
	x := &Exec{words: words, place: place, most: share(inFlight)}
	values := x.values("")
	for _, word := range words {
		for _, name := range placeholder.FindAllString(word, -1) {
			if name != script && values[name] == "" {
				return nil, fmt.Errorf("%w: there is no %s here: %s", ErrDriver, name, lacking[name])
			}
		}
	}
	return x, nil
}

// lacking says where what stands for a placeholder comes from.
var lacking = map[string]string{
	"{container}": "it takes the docker runtime",
	"{pid}":       "it takes a sandbox on this machine",
	"{root}":      "it takes a sandbox on this machine",
	"{url}":       "give --port or --url",
	"{host}":      "give --port or --url",
	"{port}":      "give --port or --url",
}

func (x *Exec) values(command string) map[string]string {
	return map[string]string{
		script: command, "{container}": x.place.Container, "{pid}": number(x.place.PID),
		"{url}": x.place.URL, "{host}": x.place.Host, "{port}": number(x.place.Port),
		"{root}": x.place.Root,
	}
}

// argv fills a command in. Each word stays one.
func (x *Exec) argv(command string) []string {
	values := x.values(command)
	filled := make([]string, len(x.words))
	for i, word := range x.words {
		filled[i] = placeholder.ReplaceAllStringFunc(word,
			func(name string) string { return values[name] })
	}
	return filled
}

// Ready looks whether the program is there: what it enters runs already.
func (x *Exec) Ready(context.Context) (int, error) {
	if _, err := exec.LookPath(x.words[0]); err != nil {
		return 0, x.fail(err)
	}
	return 0, nil
}

// Problem says why no command can be executed any more; nil as a rule.
func (x *Exec) Problem() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.broken
}

func (x *Exec) fail(why error) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.broken == nil {
		x.broken = fmt.Errorf("%w: start %s: %w", ErrDriver, x.words[0], why)
	}
	return x.broken
}

// Idle and Close have nothing to let go of: each command's process has ended.
func (x *Exec) Idle() {}

// Close is as Idle.
func (x *Exec) Close() error { return nil }

// Execute runs the command line for one command.
func (x *Exec) Execute(ctx context.Context, r dialect.Request) trial.Answer {
	answer, _ := x.Exchange(ctx, r)
	return answer
}

// afterLimit is how long a process's output is read after its end, where others hold it
// open. What it has written itself is in the pipe by then, and takes a busy machine a while
// to read.
const afterLimit = 10 * time.Second

// Exchange is Execute that also returns what the process wrote.
func (x *Exec) Exchange(ctx context.Context, r dialect.Request) (trial.Answer, []byte) {
	if err := x.Problem(); err != nil {
		return trial.Answer{Message: err.Error()}, nil
	}
	r = ExecDialect(x.words, 0).InShell(r)
	argv := x.argv(r.Script)
	out := &bounded{most: x.most}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), x.place.environment()...)
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, afterLimit
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	var started error
	err := x.place.do(func() error {
		if started = cmd.Start(); started != nil {
			return started
		}
		_ = cmd.Wait() // the state says more
		return nil
	})
	switch {
	case ctx.Err() != nil:
		hung := errors.Is(context.Cause(ctx), context.DeadlineExceeded)
		return trial.Answer{Hung: hung, Message: "no answer by the deadline"}, out.kept.Bytes()
	case err != nil && started == nil: // the sandbox's network is gone, and the sandbox with it
		return trial.Answer{Message: err.Error()}, nil
	case err != nil:
		return trial.Answer{Message: x.fail(err).Error()}, nil
	case out.over:
		why := fmt.Sprintf("read output: it is longer than %d MiB", x.most>>20)
		return trial.Answer{Message: why}, nil
	}
	return ended(cmd.ProcessState, out), out.kept.Bytes()
}

// ended reads the process's end as a shell would.
func ended(state *os.ProcessState, out *bounded) trial.Answer {
	code := state.ExitCode()
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		code = 128 + int(status.Signal())
	}
	return trial.Answer{Known: true, Code: code, Output: out.kept.String(),
		Message: fmt.Sprintf("the process ended: %v", state)}
}

// bounded keeps what is written up to a limit. It never fails, so that the writer ends
// by itself.
type bounded struct {
	kept bytes.Buffer // not embedded: its ReadFrom knows of no limit
	most int
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.kept.Len()+len(p) > b.most {
		b.over = true
		return len(p), nil
	}
	return b.kept.Write(p)
}
