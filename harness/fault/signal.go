package fault

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Signal sends one signal to PID 1 once enough commands are under way.
type Signal struct {
	Signal syscall.Signal
	// Processes is how many must live in the sandbox besides PID 1.
	Processes int
	// Named counts only processes of that name; empty counts all.
	Named string
}

func (s Signal) count(seen probe.Snapshot) int {
	n := 0
	for _, p := range seen {
		if p.Inner != 1 && (s.Named == "" || p.Name == s.Named) {
			n++
		}
	}
	return n
}

// signalLimit bounds the wait for the processes, from the first trial on. A target
// that runs fewer commands at a time never has as many.
var signalLimit = 10 * time.Second

// Name is the signal and when it comes.
func (s Signal) Name() string { return fmt.Sprintf("%v at %d processes", s.Signal, s.Processes) }

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
				err = sb.Signal(ctx, s.Signal)
			}
			armed.sent(err)
		})
	})
	return armed, nil
}

// await returns when enough processes live beside the target.
func (s Signal) await(ctx context.Context, pid int) error {
	ctx, cancel := context.WithTimeout(ctx, signalLimit)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		seen, err := probe.Look(pid)
		if err != nil || s.count(seen) >= s.Processes {
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %d processes expected in the sandbox within %v, last saw %d", ErrDeclined, s.Processes, signalLimit, s.count(seen))
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
