// Package tracer is a process of its own that traces one target: it seizes it
// before its execve, keeps its clock, holds the events of package event, and says
// when everybody is held or asleep. Which event goes next is for the harness to say.
//
// Start is the harness's front door, and Tracer its end of the pipe. A program
// becomes the tracer by importing this package: executed with its name as argv[0],
// it does that work and nothing else, on one thread, since the kernel takes a
// tracer's orders from one thread only.
package tracer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/clock"
	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// name is the argv[0] by which a tracer is known.
const name = "reapcheck-tracer"

func init() {
	if len(os.Args) > 0 && os.Args[0] == name {
		runtime.LockOSThread()
		os.Exit(serve(os.Stdin, os.Stdout))
	}
}

// tracer is the state of the process. One thread touches it.
type tracer struct {
	kill   bool
	target int // 0 until it is seized
	ended  string
	cpu    cpu
	memory *trace.Memory
	clock  *clock.Clock
	fetch  *fetch // nil where there is nothing to fetch, or no longer

	threads  map[int]*thread
	early    map[int]bool // threads that came up before their parent has told of them
	commands []*command   // since begin
	orphans  []*command   // that commands have started since
	holding  bool
	watch    Watch
	held     []*held
	lastID   int
	signal   signal

	clients   map[int]*link    // file descriptors of the target's connections
	pidfds    map[int]*command // and of its pidfds
	timers    map[int]*timer   // and of its timers
	lastTimer int              // the number of the newest one, which the clock knows it by
	received  int64
	sent      int64
	left      int
	closed    int
	queued    int // of the clients' acts, those that have been in the target's queues for long
	stops     int
	rivals    int
	turns     turns
	wakes     int // from 1: calls by which the target may have woken its threads, and our own
	idle      int // how often somebody napped or gave way since something else was done
	parked    []*thread
	untimed   map[string]bool

	looks   int       // for a stop, since there was one
	stopped time.Time // when there was one
	awaited *awaited  // the rest that the harness waits for
	failed  error     // why the target cannot be traced any more
}

// serve answers the lines of in until it ends. What it has seized then goes on
// without a tracer, or dies with it, as it was asked for.
func serve(in *os.File, out io.Writer) int {
	t := &tracer{
		cpu: stay(), clock: clock.New(), threads: map[int]*thread{}, early: map[int]bool{},
		clients: map[int]*link{}, pidfds: map[int]*command{},
		timers: map[int]*timer{}, untimed: map[string]bool{}, wakes: 1,
	}
	// A short sleep is to be short: the kernel adds 50 us otherwise.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	requests, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		stopped := t.takeStop()
		t.takeTurns(stopped)
		if !stopped || t.awaited.late() { // the stops of a target that never sleeps do not end
			if answer, ready := t.lookForRest(); ready && answers.Encode(answer) != nil {
				return 1
			}
			t.fireTimers()
		}
		if !asked(in, t.pause(stopped)) {
			continue
		}
		var r request
		if requests.Decode(&r) != nil {
			t.letGo()
			return 0
		}
		if answer, ready := t.handle(r); ready && answers.Encode(answer) != nil {
			return 1
		}
	}
}

// yields is how often others are given the CPU before the tracer sleeps: what a thread
// does between two stops takes less time than a sleep and a wake.
const yields = 3

// The tracer's sleeps between two looks. They grow to an eighth of the time that there has
// been no stop: where others have the CPU, a look each 20 us takes it from the target too.
const (
	shortest = 20 * time.Microsecond
	longest  = time.Millisecond
	unasked  = 200 * time.Microsecond // while the harness waits for nothing
)

// pause is how long to sleep between two looks for stops. It is no wait for any of them: a
// shorter one finds the same, sooner.
func (t *tracer) pause(stopped bool) time.Duration {
	switch t.looks++; {
	case stopped:
		return 0
	case t.awaited == nil:
		return unasked
	case t.looks < yields:
		_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
		return 0
	}
	return min(max(shortest, time.Since(t.stopped)/8), longest)
}

// asked sleeps until there is something to read, or that time is up; then it is false.
func asked(in *os.File, limit time.Duration) bool {
	timeout := unix.NsecToTimespec(int64(limit))
	files := []unix.PollFd{{Fd: int32(in.Fd()), Events: unix.POLLIN}}
	n, _ := unix.Ppoll(files, &timeout, nil)
	return n > 0
}

// handle answers a request, at once but for a rest.
func (t *tracer) handle(r request) (reply, bool) {
	var err error
	switch r.Op {
	case opSeize:
		err = t.seize(r.PID, r.Kill)
	case opBegin:
		t.begin(r.Watch)
	case opRest:
		t.awaited = &awaited{request: r, until: time.Now().Add(r.Limit)}
		return reply{}, false
	case opRelease:
		t.stir()
		err = t.release(r.ID)
	case opAdvance:
		t.stir()
		t.clock.Advance(r.By)
		t.wakeDue()
	case opSet:
		t.stir()
		t.clock.Set(r.By)
		t.wakeDue()
	case opTerm:
		t.stir()
		t.wakes++
		err = unix.Kill(t.target, unix.SIGTERM)
	case opEnd:
		err = t.end()
	default:
		err = fmt.Errorf("unknown request %q", r.Op)
	}
	if err = errors.Join(t.failed, err); err != nil {
		return problem(err), true
	}
	return reply{}, true
}

func problem(err error) reply {
	return reply{Error: err.Error(), Declined: errors.Is(err, ErrTraces)}
}

// seize is for a process that is about to execute the target: its other threads, if
// it has any, do not survive that.
func (t *tracer) seize(pid int, kill bool) error {
	t.target, t.kill = pid, kill
	if err := trace.Seize(pid, t.options()); err != nil {
		return trace.Refused(pid, err)
	}
	t.add(pid)
	return nil
}

func (t *tracer) options() int {
	if t.kill {
		return trace.Options | unix.PTRACE_O_EXITKILL
	}
	return trace.Options
}

func (t *tracer) begin(watch Watch) {
	t.clock.Freeze()
	t.turns.taken = true
	t.commands, t.orphans, t.holding, t.watch = nil, nil, true, watch
	t.stops, t.rivals = 0, 0
	clear(t.pidfds)
}

// end lets everything go that is held, in the order in which it was held.
func (t *tracer) end() error {
	t.holding = false
	var err error
	for len(t.held) > 0 {
		err = errors.Join(err, t.release(t.held[0].id))
	}
	return err
}

// letGo detaches from a target that is to live on: its threads must be stopped for
// that, so each is interrupted and let go at its next stop. One that dies with its
// tracer needs none of it.
func (t *tracer) letGo() {
	if t.kill || t.target == 0 || t.ended != "" {
		return
	}
	t.clock.Thaw()
	t.endTurns()
	_ = t.end()
	for tid := range t.threads {
		_ = trace.Interrupt(tid)
	}
	for deadline := time.Now().Add(letGoLimit); len(t.threads) > 0 && time.Now().Before(deadline); {
		stop, ok, err := trace.Wait()
		if err != nil {
			return
		}
		if !ok {
			time.Sleep(shortest)
			continue
		}
		t.detach(stop)
	}
}

// letGoLimit bounds the wait for a thread that does not stop: the kernel lets go of
// it when this process ends.
const letGoLimit = time.Second
