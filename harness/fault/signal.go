package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Signal sends one signal to PID 1 once enough commands are under way.
type Signal struct {
	Signal syscall.Signal
	// Twice sends it again a moment later.
	Twice bool
	// Processes is how many must live in the sandbox besides PID 1.
	Processes int
	// Named counts only processes of that name; empty counts all.
	Named string
	// EndAfter is how long after the signal, or after it was given up, such processes
	// are terminated; zero leaves them be. Those that would sleep for ever are then in
	// flight when the signal comes, however long a busy machine took to start them.
	EndAfter time.Duration
}

// counted are the processes that the signal waits for.
func (s Signal) counted(seen probe.Snapshot) probe.Snapshot {
	return slices.DeleteFunc(seen, func(p probe.Process) bool { return p.Inner == 1 || s.Named != "" && p.Name != s.Named })
}

// signalLimit bounds the wait for the processes, from the first trial on. A target
// that runs fewer commands at a time never has as many.
var signalLimit = 10 * time.Second

// Name is the signal and when it comes.
func (s Signal) Name() string {
	name := fmt.Sprintf("%v at %d processes", s.Signal, s.Processes)
	if s.Twice {
		return name + ", twice"
	}
	return name
}

// Prepare asks for nothing: any sandbox takes signals.
func (Signal) Prepare(*sandbox.Spec) error { return nil }

// Arm prepares the count, which the first trial begins: the other arms may take
// long to come up. The signal is sent once, unless Disarm comes first.
func (s Signal) Arm(ctx context.Context, sb sandbox.Sandbox) (Armed, error) {
	armed := &armedSignal{}
	ctx, armed.stop = context.WithCancel(context.WithoutCancel(ctx))
	armed.begin = sync.OnceFunc(func() {
		armed.ending.Go(func() {
			err := s.await(ctx, sb.PID())
			if err == nil {
				err = s.send(ctx, sb)
			}
			armed.sent(err)
			if s.EndAfter > 0 {
				armed.failed(s.end(ctx, sb.PID()))
			}
		})
	})
	return armed, nil
}

// aMoment is long enough for one signal to be taken in before the same comes again:
// one that is pending is not queued twice (signal(7)).
const aMoment = 100 * time.Millisecond

func (s Signal) send(ctx context.Context, sb sandbox.Sandbox) error {
	err := sb.Signal(ctx, s.Signal)
	if err != nil || !s.Twice {
		return err
	}
	select {
	case <-time.After(aMoment):
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := sb.Signal(ctx, s.Signal); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil // it may have ended by then
}

// end terminates the processes after a while, and those that come later, until ctx
// is done or the target has ended.
func (s Signal) end(ctx context.Context, pid int) error {
	next := time.NewTimer(s.EndAfter)
	defer next.Stop()
	for {
		select {
		case <-next.C:
		case <-ctx.Done():
			return nil
		}
		seen, err := probe.Look(pid)
		if err == nil {
			err = Terminate(s.counted(seen))
		}
		if err != nil {
			return unlessGone(err)
		}
		next.Reset(endPause)
	}
}

// endPause is how long what comes late may sleep.
const endPause = 100 * time.Millisecond

func unlessGone(err error) error {
	if probe.Gone(err) {
		return nil
	}
	return err
}

// await returns when enough processes live beside the target.
func (s Signal) await(ctx context.Context, pid int) error {
	ctx, cancel := context.WithTimeout(ctx, signalLimit)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		seen, err := probe.Look(pid)
		processes := s.counted(seen)
		if err != nil || len(processes) >= s.Processes {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %d processes expected in the sandbox within %v, last saw %d", ErrDeclined, s.Processes, signalLimit, len(processes))
		}
	}
}

type armedSignal struct {
	begin  func() // does so once
	stop   context.CancelFunc
	ending sync.WaitGroup

	mu   sync.Mutex
	hits int64
	err  error
}

// Before begins the count.
func (a *armedSignal) Before(context.Context) { a.begin() }

// After asks for nothing.
func (*armedSignal) After(string) {}

func (a *armedSignal) sent(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err = err; err == nil {
		a.hits++
	}
}

// failed keeps what went wrong after the signal.
func (a *armedSignal) failed(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = cmp.Or(a.err, err)
}

func (a *armedSignal) Hits(context.Context) (int64, string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.hits, "", a.err
}

func (a *armedSignal) Disarm(context.Context) error {
	a.stop()
	a.ending.Wait()
	return nil
}
