package fault

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// LateReturn delays the return of every call of one kind in the target, by
// strace. strace attaches from outside and slows the target down besides; the
// commands themselves are let go when they execute their program.
type LateReturn struct {
	Call  Call
	Delay time.Duration
}

// Call is a system call, and what it is delayed for.
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
	// vfork(2) and posix_spawn(3) allow; see execPipes.
	Read Call = "read"
	// Close ends what is left of a child that was reaped: a reaper that tells of it
	// has taken the status, and has not looked again. It hits where a pidfd is closed.
	Close Call = "close"
)

// taken is how strace tells of a child that was taken: the thread, and a result.
var taken = regexp.MustCompile(`^(\d+) .*wait4.* = [1-9]\d* \(DELAYED\)$`)

// teller finds the lines of strace that tell of a hit, and the threads in them.
func (c Call) teller() func(line string) (thread string, hit bool) {
	if c == Read {
		return execPipes{pipes: map[string]bool{}, reading: map[string]string{}}.tell
	}
	if c == Close {
		return closedPidfds{}.tell
	}
	return func(line string) (string, bool) {
		if found := taken.FindStringSubmatch(line); found != nil {
			return found[1], true
		}
		return "", false
	}
}

// Name is the call and its delay.
func (l LateReturn) Name() string { return fmt.Sprintf("%s returns after %v", l.Call, l.Delay) }

// oldest is the version in which strace can delay calls.
const oldest = "4.22"

// Prepare declines where there is no strace that can delay.
func (LateReturn) Prepare(*sandbox.Spec) error {
	out, err := exec.Command("strace", "-V").Output()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf(
			"%w: strace is not installed here: install it, for example with apt-get install strace",
			ErrDeclined)
	}
	if err != nil {
		return fmt.Errorf("%w: ask strace for its version: %w", ErrDeclined, err)
	}
	return checkStrace(string(out))
}

var versionOf = regexp.MustCompile(`version (\d+)\.(\d+)`)

// checkStrace reads the first line of strace -V.
func checkStrace(said string) error {
	line, _, _ := strings.Cut(said, "\n")
	found := versionOf.FindStringSubmatch(line)
	if found == nil {
		return fmt.Errorf("%w: %q names no version of strace; %s or newer is needed", ErrDeclined,
			line, oldest)
	}
	major, _ := strconv.Atoi(found[1])
	minor, _ := strconv.Atoi(found[2])
	if major < 4 || major == 4 && minor < 22 {
		return fmt.Errorf("%w: strace %d.%d cannot delay calls: install %s or newer", ErrDeclined,
			major, minor, oldest)
	}
	return nil
}

// Inject attaches and returns when every thread of the target is traced.
func (l LateReturn) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	if sb.PID() == 0 {
		return nil, fmt.Errorf("%w: strace the target: its engine is on another machine",
			ErrDeclined)
	}
	injected := &tracing{
		sandbox:    sb,
		LateReturn: l,
		tell:       l.Call.teller(),
		done:       make(chan struct{}),
	}
	// In a file of its own each line names its thread; else a lone one has no name.
	// -q keeps what strace says of threads that come and go out of its lines.
	injected.strace = exec.Command("strace", "-f", "-q", "-o", "/dev/stdout", "-y", "-b", "execve",
		"-p", strconv.Itoa(sb.PID()), "-e", "signal=none",
		"-e", fmt.Sprintf("trace=%s,?dup2,dup3",
			l.Call), "-e", fmt.Sprintf("inject=%s:delay_exit=%d", l.Call, l.Delay.Microseconds()))
	said, err := injected.strace.StdoutPipe()
	if err != nil {
		return nil, err
	}
	injected.strace.Stderr = injected.strace.Stdout
	// In a group of its own: a terminal's Ctrl-C is not for it.
	injected.strace.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error)
	go injected.live(started, said)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%w: start strace: %w", ErrDeclined, err)
	}
	if err := injected.attached(ctx); err != nil {
		return nil, errors.Join(err, injected.Undo(ctx))
	}
	return injected, nil
}

// tracing is a running strace.
type tracing struct {
	LateReturn
	sandbox sandbox.Sandbox
	tell    func(line string) (thread string, hit bool)
	strace  *exec.Cmd
	done    chan struct{} // closed when strace has ended

	mu        sync.Mutex
	hits      int64
	complaint string
}

// live starts strace and counts hits until it ends. A harness that is killed takes
// strace with it, and the delays. The kernel goes by the thread that forked
// (prctl(2), PR_SET_PDEATHSIG), so this one stays.
func (t *tracing) live(started chan<- error, said io.Reader) {
	runtime.LockOSThread() // for ever: the thread ends with the goroutine
	err := t.strace.Start()
	started <- err
	if err != nil {
		return
	}
	defer close(t.done)
	for lines := bufio.NewScanner(said); lines.Scan(); {
		t.note(lines.Text())
	}
	_ = t.strace.Wait() // what it has to say it has said
}

func (t *tracing) note(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if thread, hit := t.tell(line); hit {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d/task/%s", t.sandbox.PID(), thread)); err == nil {
			t.hits++
		}
	} else if strings.HasPrefix(line, "strace: ") && !strings.HasPrefix(line, "strace: Process ") {
		t.complaint = line
	}
}

// attachLimit is for a loaded machine, where seconds have been seen; else strace
// takes some 10 ms.
const attachLimit = await.Broken

func (t *tracing) attached(ctx context.Context) error {
	err := await.Wait{
		For:   "strace on all threads",
		Every: 5 * time.Millisecond,
		Limit: attachLimit,
		Over:  t.done,
	}.Until(ctx, func() (any, bool, error) {
		traced, threads := t.traced()
		seen := fmt.Sprintf("%d of %d", traced, threads)
		return seen, threads > 0 && traced == threads, nil
	})
	if errors.Is(err, await.ErrOver) {
		t.mu.Lock()
		defer t.mu.Unlock()
		return fmt.Errorf("%w: strace the target: %s; run as root", ErrDeclined, t.complaint)
	}
	return err
}

// traced counts the target's threads that strace holds, and all of them.
func (t *tracing) traced() (traced, threads int) {
	all, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", t.sandbox.PID()))
	tracer := fmt.Sprintf("\nTracerPid:\t%d\n", t.strace.Process.Pid)
	for _, path := range all {
		if status, err := os.ReadFile(path); err == nil {
			threads++
			if strings.Contains(string(status), tracer) {
				traced++
			}
		}
	}
	return traced, threads
}

// goneLimit is how long after strace the target may be seen to have ended.
const goneLimit = 10 * time.Second

// Hits ends the tracing: not before has strace told all that it saw. It tells of
// a call when its delay is over, which may be after the last answer.
func (t *tracing) Hits(ctx context.Context) (int64, string, error) {
	note := ""
	select {
	case <-time.After(t.Delay):
	case <-t.done:
		note = t.whyEnded()
	}
	err := t.Undo(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Call == Read && t.hits == 0 && note == "" {
		err = fmt.Errorf(
			"%w: no command's start was told by a pipe, so none could be told late: leave the scenario out", ErrDeclined)
	}
	return t.hits, note, err
}

// whyEnded is empty where strace ended since the target has.
func (t *tracing) whyEnded() string {
	select {
	case <-t.sandbox.Done():
		return ""
	case <-time.After(goneLimit):
		t.mu.Lock()
		defer t.mu.Unlock()
		return "strace has ended before its time: " + t.complaint
	}
}

// detachLimit is how long strace may take to let go before it is killed, which
// lets go as well.
const detachLimit = await.Broken

// Undo ends strace and with it the delays.
func (t *tracing) Undo(context.Context) error {
	_ = t.strace.Process.Signal(os.Interrupt)
	select {
	case <-t.done:
	case <-time.After(detachLimit):
		_ = t.strace.Process.Kill()
		<-t.done
	}
	return nil
}

// execPipes tells the pipe whose end says that exec is over from those that
// carry what a command writes. Both are at their end once for each command; but
// a command's own pipes are made its standard streams, by dup2(2) or dup3(2)
// before its exec, and the other one closes with exec.
//
// It is deceived by a target that learns of a command's end by a further pipe,
// which the command inherits under a number above 2.
type execPipes struct {
	// pipes are those that are a standard stream or have been a hit, by strace's
	// name for them, such as pipe:[4711].
	pipes map[string]bool
	// reading is what each thread has last begun to read in a call that did not
	// return at once.
	reading map[string]string
}

// How strace -y tells of the calls: in one line, or in two if others come
// between.
var (
	streamMade = regexp.MustCompile(`^\d+ +dup[23]\(\d+<(pipe:\[\d+\])>, [012]\D`)
	readBegun  = regexp.MustCompile(`^(\d+) +read\(\d+<([^>]*)>.*<unfinished \.\.\.>$`)
	endResumed = regexp.MustCompile(`^(\d+) +<\.\.\. read resumed>.* = 0 \(DELAYED\)$`)
	endRead    = regexp.MustCompile(`^(\d+) +read\(\d+<([^>]*)>.* = 0 \(DELAYED\)$`)
)

// tell takes every line, in order. A pipe hits once.
func (e execPipes) tell(line string) (thread string, hit bool) {
	if found := streamMade.FindStringSubmatch(line); found != nil {
		e.pipes[found[1]] = true
	} else if found := readBegun.FindStringSubmatch(line); found != nil {
		e.reading[found[1]] = found[2]
	} else if found := endRead.FindStringSubmatch(line); found != nil {
		return found[1], e.first(found[2])
	} else if found := endResumed.FindStringSubmatch(line); found != nil {
		return found[1], e.first(e.reading[found[1]])
	}
	return "", false
}

// first is true once for each pipe that is no standard stream, and for nothing
// else that can be read.
func (e execPipes) first(file string) bool {
	if !strings.HasPrefix(file, "pipe:") || e.pipes[file] {
		return false
	}
	e.pipes[file] = true
	return true
}
