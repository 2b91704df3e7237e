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

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Signal sends one signal to PID 1 once enough commands are under way. What lives in the sandbox
// before them is no command.
type Signal struct {
	Signal syscall.Signal
	// Twice sends it again a moment later.
	Twice bool
	// Processes is how many must live in the sandbox besides PID 1. For 0 the signal comes
	// before the first command is asked for.
	Processes int
	// Named counts only processes of that name; empty counts all.
	Named string
	// EndAfter is how long after the signal, or after it was given up, such processes
	// are terminated; zero leaves them be. Those that would sleep for ever are then in
	// flight when the signal comes, however long a busy machine took to start them.
	EndAfter time.Duration
}

// commands looks for the processes that the signal waits for, among those that come from now on.
func (s Signal) commands(pid int) func() (probe.Snapshot, error) {
	before, _ := probe.Look(pid) // an error shows again at each look
	return func() (probe.Snapshot, error) {
		seen, err := probe.Look(pid)
		return slices.DeleteFunc(seen.Since(before), func(p probe.Process) bool {
			return s.Named != "" && p.Name != s.Named
		}), err
	}
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

// Inject prepares the count, which the first trial begins: the other arms may take
// long to come up. The signal is sent once, unless Undo comes first.
func (s Signal) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	commands := s.commands(sb.PID())
	injected := &signalling{}
	ctx, injected.stop = context.WithCancel(context.WithoutCancel(ctx))
	injected.begin = sync.OnceFunc(func() {
		injected.ending.Go(func() {
			err := s.enough(ctx, commands)
			began := time.Now() // before the target's own time begins
			if err == nil {
				err = s.send(ctx, sb)
			}
			injected.sent(err)
			if s.EndAfter > 0 {
				injected.ended(s.end(ctx, commands, began))
			}
		})
	})
	if s.Processes == 0 {
		injected.begin()
		injected.ending.Wait()
	}
	return injected, nil
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
// is done or the target has ended. The excuse says that it came too late.
func (s Signal) end(ctx context.Context, commands func() (probe.Snapshot, error),
	began time.Time) (excuse string, err error) {
	next := time.NewTimer(s.EndAfter)
	defer next.Stop()
	for first := true; ; first = false {
		select {
		case <-next.C:
		case <-ctx.Done():
			return excuse, nil
		}
		left, err := commands()
		if err == nil {
			err = Terminate(left)
		}
		if err != nil {
			return excuse, unlessGone(err)
		}
		if first {
			excuse = s.late(time.Since(began))
		}
		next.Reset(endPause)
	}
}

// mostLate is how much later than EndAfter the processes may be ended. Who stops a container
// waits for 10 s as a rule, so a target has reason to wait for less.
const mostLate = 3 * time.Second

// late says that the processes were ended so long after the signal that the target need
// not have waited; empty where they were not.
func (s Signal) late(took time.Duration) (excuse string) {
	if took <= s.EndAfter+mostLate {
		return ""
	}
	return fmt.Sprintf("this machine was so busy that the commands were ended %v after %v, and not "+
		"%v: no target has to wait so long", took.Round(time.Millisecond), s.Signal, s.EndAfter)
}

// endPause is how long what comes late may sleep.
const endPause = 100 * time.Millisecond

func unlessGone(err error) error {
	if probe.Gone(err) {
		return nil
	}
	return err
}

// enough returns when enough processes live beside the target.
func (s Signal) enough(ctx context.Context, commands func() (probe.Snapshot, error)) error {
	err := await.Wait{
		For:   fmt.Sprintf("%d processes in the sandbox", s.Processes),
		Every: 10 * time.Millisecond,
		Limit: signalLimit,
	}.Until(ctx, func() (any, bool, error) {
		seen, err := commands()
		return len(seen), len(seen) >= s.Processes, err
	})
	if errors.Is(err, await.ErrLimit) || ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ErrDeclined, err)
	}
	return err
}

type signalling struct {
	begin  func() // does so once
	stop   context.CancelFunc
	ending sync.WaitGroup

	mu     sync.Mutex
	hits   int64
	excuse string
	err    error
}

// Before begins the count.
func (g *signalling) Before(context.Context) { g.begin() }

// After asks for nothing.
func (*signalling) After(string) {}

func (g *signalling) sent(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.err = err; err == nil {
		g.hits++
	}
}

// ended keeps what came of ending the processes.
func (g *signalling) ended(excuse string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.excuse, g.err = excuse, cmp.Or(g.err, err)
}

func (g *signalling) Hits(context.Context) (int64, string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.hits, "", g.err
}

// Excuse says that the commands were ended too late.
func (g *signalling) Excuse() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.excuse
}

func (g *signalling) Undo(context.Context) error {
	g.stop()
	g.ending.Wait()
	return nil
}

// Terminate ends processes of the sandbox from outside. One that is gone, or that
// has another's number by now, is let be.
func Terminate(all probe.Snapshot) error {
	for _, p := range all {
		// It holds a pidfd: what the look then finds is what the signal goes to.
		process, err := os.FindProcess(p.PID)
		if err != nil {
			continue
		}
		now, err := probe.LookAt(p.PID)
		if err == nil && now.Inner == p.Inner && now.Parent == p.Parent && now.Name == p.Name {
			err = process.Signal(syscall.SIGTERM)
		}
		_ = process.Release()
		if err != nil && !probe.Gone(err) && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("terminate a process of the sandbox: %w", err)
		}
	}
	return nil
}
