package fault

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/reapcheck/reapcheck/harness/await"
	"github.com/reapcheck/reapcheck/harness/probe"
	"github.com/reapcheck/reapcheck/harness/sandbox"
)

// Standstill stops the target while commands end, so that it finds them all at once and
// one signal tells of them (signal(7): what is pending is not queued twice). The target is
// what there was before any command, PID 1, a daemon behind it, its workers, and what stands
// between these and a command's shell, as a process for each client.
//
// It waits until Commands of the commands sleep, as load.UntilWoken does, stops the target,
// ends their sleeps, waits until they have ended, and lets the target go on; again and
// again. A hit is a standstill in which all of them ended and none was reaped.
type Standstill struct {
	Commands int
	// For is how much longer the target stands still; 0 for no longer than they take to end.
	For time.Duration
}

// Name says what happens.
func (s Standstill) Name() string {
	name := fmt.Sprintf("stopped while %d commands end", s.Commands)
	if s.For > 0 {
		name += fmt.Sprintf(", for %v", s.For)
	}
	return name
}

// Prepare asks for nothing: any sandbox takes signals.
func (Standstill) Prepare(*sandbox.Spec) error { return nil }

// Inject begins to watch for the commands.
func (s Standstill) Inject(ctx context.Context, sb sandbox.Sandbox) (Injection, error) {
	if sb.PID() == 0 {
		return nil, fmt.Errorf("%w: the target's process cannot be seen", ErrDeclined)
	}
	still := &standing{Standstill: s, sandbox: sb}
	if err := still.open(); err != nil {
		still.close()
		return nil, err
	}
	ctx, still.stop = context.WithCancel(context.WithoutCancel(ctx))
	still.watching.Go(func() {
		for ctx.Err() == nil && still.once(ctx) {
		}
	})
	return still, nil
}

type standing struct {
	Standstill
	sandbox  sandbox.Sandbox
	own      map[int]int // pidfds of the target's processes, by PID
	programs []string    // that these run
	stop     context.CancelFunc
	watching sync.WaitGroup

	count
}

// open takes note of the target's own processes.
func (s *standing) open() error {
	seen, err := probe.Look(s.sandbox.PID())
	s.own = map[int]int{}
	for _, p := range seen {
		if p.PID == os.Getpid() {
			return fmt.Errorf("%w: the target shares this process's own namespace", ErrDeclined)
		}
		if fd, err := unix.PidfdOpen(p.PID, 0); err == nil {
			s.own[p.PID] = fd
		}
		if program := running(p.PID); program != "" {
			s.programs = append(s.programs, program)
		}
	}
	return err
}

// once waits for one set of commands, and returns false when there will be no more.
func (s *standing) once(ctx context.Context) bool {
	asleep, err := s.sleeping(ctx)
	if err != nil {
		return false
	}
	s.fail(unlessOver(ctx, s.sandbox, s.still(ctx, asleep)))
	return ctx.Err() == nil
}

// still stops the target while the commands end.
func (s *standing) still(ctx context.Context, asleep probe.Snapshot) error {
	started, between := s.startedFor(asleep)
	own := maps.Clone(s.own)
	maps.Copy(own, between)
	defer closeAll(between)
	defer func() { _ = tell(own, unix.SIGCONT) }()
	if err := tell(own, unix.SIGSTOP); err != nil {
		return err
	}
	if err := s.stopped(ctx, own); err != nil {
		return err
	}
	if err := Terminate(asleep); err != nil {
		return err
	}
	zombies, err := s.ended(ctx, started)
	if err == nil && zombies == len(started) {
		s.hit()
	}
	select {
	case <-time.After(s.For):
	case <-ctx.Done():
	}
	return err
}

// tell sends a signal to each of these processes that is left.
func tell(all map[int]int, sig unix.Signal) error {
	for pid, fd := range all {
		err := unix.PidfdSendSignal(fd, sig, nil, 0)
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("send %v to process %d: %w", sig, pid, err)
		}
	}
	return nil
}

// stopped waits until each thread of the target has stopped. One that sleeps in a wait
// would take the first child that ends before it sees the signal.
func (s *standing) stopped(ctx context.Context, own map[int]int) error {
	return s.await("0 running processes of the target", await.Broken).Until(ctx,
		func() (any, bool, error) {
			running := 0
			for pid := range own {
				if !probe.Still(pid, false) {
					running++
				}
			}
			return running, running == 0, nil
		})
}

// ended waits until these processes have ended, and says how many of them nobody has
// reaped.
func (s *standing) ended(ctx context.Context, started []int) (zombies int, err error) {
	err = s.await(fmt.Sprint(len(started), " ended commands"), await.Broken).Until(ctx,
		func() (any, bool, error) {
			ended := 0
			zombies = 0
			for _, pid := range started {
				stat, err := probe.StatOf(pid)
				if err != nil && !probe.Gone(err) {
					return ended, false, err
				}
				if err != nil || stat.State == 'Z' {
					ended++
				}
				if err == nil && stat.State == 'Z' {
					zombies++
				}
			}
			return ended, ended == len(started), nil
		})
	return zombies, err
}

// startedFor is what the target has started for each of these sleeps, its shell or the sleep
// itself, and pidfds of the target's processes that have come since and stand in between, by PID.
func (s *standing) startedFor(asleep probe.Snapshot) (started []int, between map[int]int) {
	between = map[int]int{}
	for _, p := range asleep {
		line := s.lineage(p)
		for len(line) > 1 && s.isTarget(line[len(line)-1]) {
			worker := line[len(line)-1]
			if _, known := between[worker]; !known {
				if fd, err := unix.PidfdOpen(worker, 0); err == nil {
					between[worker] = fd
				}
			}
			line = line[:len(line)-1]
		}
		started = append(started, line[len(line)-1])
	}
	slices.Sort(started)
	return slices.Compact(started), between
}

// lineage is a process and those above it, up to the target's own.
func (s *standing) lineage(p probe.Process) []int {
	line, parent := []int{p.PID}, p.Parent
	for _, own := s.own[parent]; !own && parent > 1; _, own = s.own[parent] {
		stat, err := probe.StatOf(parent)
		if err != nil {
			break
		}
		line, parent = append(line, parent), stat.Parent
	}
	return line
}

// isTarget says whether a process runs the target's program.
func (s *standing) isTarget(pid int) bool {
	return slices.Contains(s.programs, running(pid))
}

// running is the path of the program that a process runs, and empty where that cannot be seen.
func running(pid int) string {
	program, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return program
}

func (s *standing) await(what string, limit time.Duration) await.Wait {
	return await.Wait{
		For: what, Every: 5 * time.Millisecond, Slowest: 50 * time.Millisecond, Limit: limit,
		Over: s.sandbox.Done(),
	}
}

// sleeping looks until as many commands sleep as there are.
func (s *standing) sleeping(ctx context.Context) (asleep probe.Snapshot, err error) {
	err = s.await(fmt.Sprint(s.Commands, " sleeps"), time.Hour).Until(ctx,
		func() (any, bool, error) {
			seen, err := probe.Look(s.sandbox.PID())
			asleep = slices.DeleteFunc(seen.Named("sleep"), func(p probe.Process) bool {
				_, own := s.own[p.PID]
				return own
			})
			return len(asleep), len(asleep) >= s.Commands, err
		})
	return asleep, err
}

// Undo lets the target go on, if it stands.
func (s *standing) Undo(context.Context) error {
	s.stop()
	s.watching.Wait()
	s.close()
	return nil
}

func (s *standing) close() {
	closeAll(s.own)
	s.own = nil
}

func closeAll(pidfds map[int]int) {
	for _, fd := range pidfds {
		unix.Close(fd)
	}
}
