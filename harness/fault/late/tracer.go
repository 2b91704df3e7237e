package late

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/explore/trace"
)

// name is the argv[0] by which a tracer is known.
const name = "reapcheck-late"

// This is the process's main thread, which alarms are for: see trace.Ring.
func init() {
	if len(os.Args) == 4 && os.Args[0] == name {
		runtime.LockOSThread()
		serve(os.Args[1], os.Args[2], os.Args[3])
		os.Exit(0)
	}
}

// tracer is the state of the process. One thread touches it.
type tracer struct {
	target  int
	watch   watch
	options int
	delay   time.Duration

	threads map[int]*thread
	// unmet is how many threads have not stopped since they were interrupted.
	unmet int
	late  []*thread // those that are kept at an exit, the earliest first
	hits  int64
}

// thread is one thread that is traced: of the target, or of a process that it has
// started and that has not executed a program yet.
type thread struct {
	tid    int
	own    bool // it is the target's
	met    bool
	inside bool // a call
	call   trace.Call
	wanted bool      // the call may be a hit
	until  time.Time // when the thread is let go, if it is kept
}

// serve traces until the harness asks for the hits, or is gone.
func serve(pid, call, delay string) {
	t := &tracer{threads: map[int]*thread{}}
	out := json.NewEncoder(os.Stdout)
	if err := t.begin(pid, call, delay); err != nil {
		_ = out.Encode(answer{Problem: err.Error(), Refused: errors.Is(err, ErrRefused)})
		return
	}
	orders := make(chan struct{})
	go listen(orders)
	for t.unmet > 0 {
		if err := t.step(); err != nil && !errors.Is(err, trace.ErrNobody) {
			_ = out.Encode(answer{Problem: err.Error()})
			return
		}
	}
	_ = out.Encode(answer{})
	if err := t.run(orders); err != nil {
		_ = out.Encode(answer{Problem: err.Error()})
		return
	}
	_ = out.Encode(answer{Hits: t.hits})
}

func (t *tracer) begin(pid, call, delay string) (err error) {
	signal.Ignore(unix.SIGCHLD) // one comes with each stop, and stops are waited for
	if t.target, err = strconv.Atoi(pid); err != nil {
		return err
	}
	if t.delay, err = time.ParseDuration(delay); err != nil {
		return err
	}
	if t.watch, t.options, err = watchFor(Call(call)); err != nil {
		return err
	}
	if err := trace.LetAlarms(); err != nil {
		return err
	}
	return t.attach()
}

// listen hands the harness's order on. A harness that is gone takes this process with
// it, whatever that is doing.
func listen(orders chan<- struct{}) {
	var line [1]byte
	if _, err := os.Stdin.Read(line[:]); err != nil {
		os.Exit(0)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		select {
		case orders <- struct{}{}:
			return
		case <-time.After(ringAgain):
			trace.Ring()
		}
	}
}

// ringAgain is how soon a tracer that sleeps is rung for once more.
const ringAgain = time.Millisecond

// run deals with stops until there is an order, and then with those that there are.
func (t *tracer) run(orders <-chan struct{}) error {
	for {
		select {
		case <-orders:
			return t.finish()
		default:
		}
		err := t.step()
		if errors.Is(err, trace.ErrNobody) { // the target has ended
			<-orders
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// lastStops bounds what is looked at after the order: a busy target always has more.
const lastStops = 10000

// finish counts what has happened before the order.
func (t *tracer) finish() error {
	for range lastStops {
		stop, ok, err := trace.Wait()
		if err != nil || !ok {
			return err
		}
		if err := t.take(stop); err != nil {
			return err
		}
	}
	return nil
}

// step sleeps until a thread has stopped or is to be let go.
func (t *tracer) step() error {
	if err := t.letDue(); err != nil {
		return err
	}
	stop, ok, err := trace.Next()
	if err != nil || !ok {
		return err
	}
	return t.take(stop)
}

// take deals with a stop. That a thread was killed meanwhile is no problem.
func (t *tracer) take(stop trace.Stop) error {
	if err := t.deal(stop); err != nil && !errors.Is(err, trace.ErrGone) {
		return fmt.Errorf("trace thread %d: %w", stop.TID, err)
	}
	return nil
}

// keep leaves a thread where it is for the delay.
func (t *tracer) keep(th *thread) error {
	t.hits++
	th.until = time.Now().Add(t.delay)
	t.late = append(t.late, th)
	if len(t.late) == 1 {
		return trace.SetAlarm(t.delay)
	}
	return nil
}

// letDue lets go those whose delay is over. All have the same, so the first is the
// earliest.
func (t *tracer) letDue() error {
	if len(t.late) == 0 {
		return nil
	}
	now, due := time.Now(), 0
	for ; due < len(t.late) && !t.late[due].until.After(now); due++ {
		th := t.late[due]
		if t.threads[th.tid] != th { // it was killed
			continue
		}
		if err := t.resume(th, 0); err != nil && !errors.Is(err, trace.ErrGone) {
			return err
		}
	}
	if due == 0 {
		return nil
	}
	if t.late = t.late[due:]; len(t.late) == 0 {
		return trace.StopAlarm()
	}
	return trace.SetAlarm(t.late[0].until.Sub(now))
}
